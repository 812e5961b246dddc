// Fibres: stacks of their own that hand the processor to each other by name, on one thread of the operating system.
#pragma once
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_start_switch_fiber(void** save, const void* bottom, size_t size);
extern "C" void __sanitizer_finish_switch_fiber(void* save, const void** oldBottom, size_t* oldSize);
extern "C" void __asan_unpoison_memory_region(const volatile void* address, size_t size);
#endif

#if defined(__x86_64__) || defined(__aarch64__)
#define CHANGES_STACKS 1  // by hand, which is fast
#else
#define CHANGES_STACKS 0  // by the C library, which saves signal masks too
#include <ucontext.h>
#endif

namespace doubles {

#if defined(__x86_64__)

// Saves what the calling convention wants kept, changes stacks, and takes it back from there.
extern "C" __attribute__((visibility("hidden"))) void lipschitz_change_stack(void** from, void* to);
asm(R"(
    .text
    .hidden lipschitz_change_stack
    .globl lipschitz_change_stack
    .type lipschitz_change_stack, @function
lipschitz_change_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size lipschitz_change_stack, . - lipschitz_change_stack
)");

// A stack that looks as if `entry` had been about to run when it was left: six registers, then the address to go to.
static void* preparedStack(char* top, void (*entry)()) {
    auto words = reinterpret_cast<uint64_t*>(top);
    words[-1] = 0;
    words[-2] = reinterpret_cast<uint64_t>(entry);
    for (int i = 3; i <= 8; i++) {
        words[-i] = 0;
    }

    return words - 8;
}

#elif defined(__aarch64__)

extern "C" __attribute__((visibility("hidden"))) void lipschitz_change_stack(void** from, void* to);
asm(R"(
    .text
    .hidden lipschitz_change_stack
    .globl lipschitz_change_stack
    .type lipschitz_change_stack, %function
lipschitz_change_stack:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size lipschitz_change_stack, . - lipschitz_change_stack
)");

// As above: twenty registers, of which x30 holds the address to go to.
static void* preparedStack(char* top, void (*entry)()) {
    auto words = reinterpret_cast<uint64_t*>(top) - 20;
    for (int i = 0; i < 20; i++) {
        words[i] = 0;
    }

    words[11] = reinterpret_cast<uint64_t>(entry);
    return words;
}

#endif

struct Fibre {
#if defined(__SANITIZE_ADDRESS__)
    static constexpr size_t StackBytes = 512 * 1024;
#else
    static constexpr size_t StackBytes = 128 * 1024;
#endif

    char* memory = nullptr;   // a page that may not be touched, then the stack; null for the fibre that is the thread itself
    int thread = 0;           // the thread of the block that it runs
    const char* file = nullptr;  // the barrier where it waits
    int line = 0;

    // Runs `entry` when it is first entered; entry must not return.
    explicit Fibre(void (*entry)()) : _entry(entry) {
        size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        memory = static_cast<char*>(mmap(nullptr, page + StackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) {
            std::perror("the fake libcuda has no memory for a stack");
            std::abort();
        }

        // Stacks that begin at the same place of their pages would evict each other from the cache.
        static std::atomic<unsigned> made{0};
        _bytes = page + StackBytes;
        _bottom = memory + page;
        _height = StackBytes - (made++ % 63 * 64);
        restart();
    }

    // The thread itself.
    Fibre() = default;

    Fibre(const Fibre&) = delete;

    ~Fibre() {
        if (memory != nullptr) {
            munmap(memory, _bytes);
        }
    }

    // Forgets what it was doing.
    void restart() {
#if defined(__SANITIZE_ADDRESS__)
        __asan_unpoison_memory_region(_bottom, StackBytes);
#endif
#if CHANGES_STACKS
        _stack = preparedStack(_bottom + _height, _entry);
#else
        getcontext(&_context);
        _context.uc_stack.ss_sp = _bottom;
        _context.uc_stack.ss_size = _height;
        _context.uc_link = nullptr;
        makecontext(&_context, _entry, 0);
#endif
    }

    // Goes on with `to`; returns when some fibre switches back here.
    void switchTo(Fibre& to) {
#if defined(__SANITIZE_ADDRESS__)
        void* fake = nullptr;
        __sanitizer_start_switch_fiber(&fake, to._bottom, to.memory != nullptr ? StackBytes : to._bytes);
        to._from = this;
#endif
#if CHANGES_STACKS
        lipschitz_change_stack(&_stack, to._stack);
#else
        swapcontext(&_context, &to._context);
#endif
#if defined(__SANITIZE_ADDRESS__)
        arrived(fake);
#endif
    }

    // To be called first by `entry`.
    void arrived(void* fake = nullptr) {
#if defined(__SANITIZE_ADDRESS__)
        const void* bottom;
        size_t bytes;
        __sanitizer_finish_switch_fiber(fake, &bottom, &bytes);
        if (_from->memory == nullptr) {  // the thread's own stack, known only now
            _from->_bottom = static_cast<char*>(const_cast<void*>(bottom));
            _from->_bytes = bytes;
        }
#else
        (void)fake;
#endif
    }

private:
    void (*_entry)() = nullptr;
    char* _bottom = nullptr;
    size_t _bytes = 0, _height = 0;
    Fibre* _from = nullptr;
#if CHANGES_STACKS
    void* _stack = nullptr;
#else
    ucontext_t _context{};
#endif
};

}  // namespace doubles
