// Runs the blocks of a kernel; part of kernels.cpp. A fibre runs thread after thread of the block until one waits at a barrier; then the next fibre
// goes on with the next thread. So a kernel without barriers is a plain loop, and one with barriers needs as many fibres as the block has threads.
#pragma once
#include <atomic>
#include <cstring>
#include <functional>
#include <link.h>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fibres.h"
#include "thread.h"

namespace doubles {

struct Grid {
    Index blocks;
    unsigned threads;

    Index blockAt(unsigned long i) const {
        unsigned long y = i / blocks.x, z = y / blocks.y;
        return {static_cast<unsigned>(i % blocks.x), static_cast<unsigned>(y % blocks.y), static_cast<unsigned>(z)};
    }
};

// The kernel being run: called once for each thread.
using Body = std::function<void()>;

// Whatever one thread of the operating system needs to run blocks.
struct Runner {
    const Body* body = nullptr;
    bool isCooperative = false;
    std::string complaint;  // the first thing wrong in the kernel
    unsigned long spins = 0;

    // Runs block `block`, its threads upwards or downwards; false where they do not meet at the same barriers.
    bool run(Index block, const Grid& grid, const Body& kernel, bool isDownwards) {
        fillSharedMemory();
        thread.gridSize = grid.blocks;
        thread.blockSize = {grid.threads, 1, 1};
        thread.block = block;
        body = &kernel;
        _count = static_cast<int>(grid.threads);
        _next = 0;
        _ended = 0;
        _isDownwards = isDownwards;
        _waiting.clear();
        while (_next < _count) {
            if (_idle.empty()) {
                _fibres.push_back(std::make_unique<Fibre>(&Runner::entry));
                _idle.push_back(_fibres.back().get());
            }

            Fibre* fibre = _idle.back();
            _idle.pop_back();
            enter(*fibre);
        }

        while (!_waiting.empty()) {
            if (!haveMet(block)) {
                abandon();
                return false;
            }

            std::swap(_waiting, _resumed);
            for (Fibre* fibre : _resumed) {
                thread.index = {static_cast<unsigned>(fibre->thread), 0, 0};
                enter(*fibre);
            }

            _resumed.clear();
        }

        return true;
    }

    // The running fibre waits until all threads of the block are here.
    void wait(const char* file, int line) {
        Fibre* self = _current;
        self->file = file;
        self->line = line;
        _waiting.push_back(self);
        self->switchTo(_main);
    }

private:
    Fibre _main;
    Fibre* _current = nullptr;
    std::vector<std::unique_ptr<Fibre>> _fibres;
    std::vector<Fibre*> _idle, _waiting, _resumed;
    int _count = 0, _next = 0, _ended = 0;
    bool _isDownwards = false;

    void enter(Fibre& fibre) {
        _current = &fibre;
        _main.switchTo(fibre);
    }

    static void entry() {
        Runner& runner = *thread.runner;
        Fibre* self = runner._current;
        self->arrived();
        while (true) {
            while (runner._next < runner._count) {
                self->thread = runner._isDownwards ? runner._count - 1 - runner._next : runner._next;
                runner._next++;
                thread.index = {static_cast<unsigned>(self->thread), 0, 0};
                (*runner.body)();
                runner._ended++;
            }

            runner._idle.push_back(self);
            self->switchTo(runner._main);
        }
    }

    bool haveMet(Index block) {
        const Fibre* first = _waiting[0];
        std::string where = "block (" + std::to_string(block.x) + ", " + std::to_string(block.y) + ", " + std::to_string(block.z) + "): ";
        if (_ended > 0) {
            complaint = where + std::to_string(_waiting.size()) + " of " + std::to_string(_count) + " threads wait at " + place(*first) +
                ", the others have ended";
            return false;
        }

        for (const Fibre* fibre : _waiting) {
            if (fibre->line != first->line || std::strcmp(fibre->file, first->file) != 0) {
                complaint = where + "thread " + std::to_string(first->thread) + " waits at " + place(*first) + ", thread " +
                    std::to_string(fibre->thread) + " at " + place(*fibre);
                return false;
            }
        }

        return true;
    }

    static std::string place(const Fibre& fibre) {
        const char* name = std::strrchr(fibre.file, '/');
        return std::string(name != nullptr ? name + 1 : fibre.file) + ":" + std::to_string(fibre.line);
    }

    void abandon() {
        _waiting.clear();
        _resumed.clear();
        _idle.clear();
        for (auto& fibre : _fibres) {
            fibre->restart();
            _idle.push_back(fibre.get());
        }
    }

    // Shared memory starts with arbitrary contents; NaN shows who relies on them. It is all of this library's thread-local memory but `thread`.
    static void fillSharedMemory() {
        if (thread.shared == nullptr) {
            dl_iterate_phdr(&Runner::findSharedMemory, nullptr);
        }

        Thread kept = thread;
        std::memset(thread.shared, 0xff, kept.sharedBytes);
        thread = kept;
    }

    static int findSharedMemory(dl_phdr_info* info, size_t, void*) {
        auto variable = reinterpret_cast<char*>(&thread);
        for (int i = 0; i < info->dlpi_phnum; i++) {
            auto& header = info->dlpi_phdr[i];
            auto block = static_cast<char*>(info->dlpi_tls_data);
            if (header.p_type == PT_TLS && block != nullptr && variable >= block && variable < block + header.p_memsz) {
                thread.shared = block;
                thread.sharedBytes = header.p_memsz;
                return 1;
            }
        }

        return 0;
    }
};

// Runners that are not at work; they keep their stacks.
class RunnerPool {
public:
    std::unique_ptr<Runner> take(bool isCooperative) {
        std::lock_guard<std::mutex> lock(_mutex);
        std::unique_ptr<Runner> runner = _idle.empty() ? std::make_unique<Runner>() : std::move(_idle.back());
        if (!_idle.empty()) {
            _idle.pop_back();
        }

        runner->isCooperative = isCooperative;
        runner->spins = 0;
        thread.runner = runner.get();
        return runner;
    }

    void giveBack(std::unique_ptr<Runner> runner) {
        std::lock_guard<std::mutex> lock(_mutex);
        thread.runner = nullptr;
        _idle.push_back(std::move(runner));
    }

    static RunnerPool& shared() {
        static RunnerPool& pool = *new RunnerPool();
        return pool;
    }

private:
    std::mutex _mutex;
    std::vector<std::unique_ptr<Runner>> _idle;
};

void barrier(const char* file, int line) { thread.runner->wait(file, line); }

// A loop that waits for another block gives way to it; one that waits for ever (its block is not running) ends the process with a message.
void spin() {
    Runner& runner = *thread.runner;
    if (++runner.spins % 2 == 0) {
        sched_yield();
    }

    unsigned long most = runner.isCooperative ? 20'000'000ul : 100'000ul;
    if (runner.spins > most) {
        std::fprintf(stderr, "fake libcuda: a block waits for another block for ever%s\n",
            runner.isCooperative ? "" : ": the kernel must be launched by cuLaunchCooperativeKernel");
        std::abort();
    }
}

// Runs all blocks one after another; the complaint, or nothing. Each launch goes through blocks and threads the other way round than the last
// one, so that a kernel whose result depends on the order, for want of a barrier or otherwise, does not stay hidden.
std::string runGrid(const Grid& grid, const Body& body) {
    static std::atomic<unsigned> launches{0};
    bool isDownwards = launches++ % 2 == 1;
    unsigned long count = static_cast<unsigned long>(grid.blocks.x) * grid.blocks.y * grid.blocks.z;
    std::unique_ptr<Runner> runner = RunnerPool::shared().take(false);
    bool isGood = true;
    for (unsigned long i = 0; isGood && i < count; i++) {
        isGood = runner->run(grid.blockAt(isDownwards ? count - 1 - i : i), grid, body, isDownwards != (i % 2 == 1));
    }

    std::string complaint = isGood ? "" : runner->complaint;
    RunnerPool::shared().giveBack(std::move(runner));
    return complaint;
}

// Runs all blocks at once, each on a thread of the operating system.
std::string runCooperativeGrid(const Grid& grid, const Body& body) {
    unsigned count = grid.blocks.x * grid.blocks.y * grid.blocks.z;
    std::vector<std::string> complaints(count);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < count; i++) {
        threads.emplace_back([&, i] {
            std::unique_ptr<Runner> runner = RunnerPool::shared().take(true);
            complaints[i] = runner->run(grid.blockAt(i), grid, body, i % 2 == 1) ? "" : runner->complaint;
            RunnerPool::shared().giveBack(std::move(runner));
        });
    }

    for (std::thread& one : threads) {
        one.join();
    }

    for (const std::string& complaint : complaints) {
        if (!complaint.empty()) {
            return complaint;
        }
    }

    return "";
}

}  // namespace doubles
