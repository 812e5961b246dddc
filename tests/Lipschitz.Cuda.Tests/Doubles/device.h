// The state of the fake driver: contexts, memory, streams with their work, graphs.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "cuda_names.h"
#include "launch.h"
#include "ledger.h"
#include "ptx.h"

#if defined(LIPSCHITZ_SANITIZED)
extern "C" void __asan_poison_memory_region(const volatile void* address, size_t size);
extern "C" void __asan_unpoison_memory_region(const volatile void* address, size_t size);
#define FENCE_OFF(address, bytes) __asan_poison_memory_region(address, bytes)
#define OPEN_UP(address, bytes) __asan_unpoison_memory_region(address, bytes)
#else
#define FENCE_OFF(address, bytes) ((void)0)
#define OPEN_UP(address, bytes) ((void)0)
#endif

namespace doubles {

// A piece of work of a stream. It may be run again when it belongs to a graph.
struct Work {
    std::string what;
    std::function<CUresult()> run;
};

struct Graph {
    std::vector<Work> work;
};

struct Capture {
    Graph* graph;
    CUstreamCaptureMode mode;
    std::thread::id owner;
    bool isInvalid = false;
};

struct Context;

struct Stream {
    Context* context;
    unsigned flags;
    std::deque<Work> waiting;  // only where work is deferred
    std::unique_ptr<Capture> capture;
};

struct Event {
    Context* context;
    unsigned flags;
    Stream* stream = nullptr;  // of the last record
    int pending = 0;
    bool isRecorded = false, isCaptured = false;
    std::chrono::steady_clock::time_point time;
};

struct Module {
    Context* context;
    std::map<std::string, std::unique_ptr<struct Function>> functions;
};

struct Function {
    Module* module;
    const Kernel* kernel;
    Entry entry;
};

struct Context {
    CUdevice device;
    CUresult error = CUDA_SUCCESS;  // sticks once a kernel has failed
    Stream* legacy;
};

struct Piece {
    size_t bytes;
    bool isPinned, isAsync;
    Context* context;
};

constexpr size_t Margin = 256;  // bytes around each piece of memory that nobody may touch
constexpr unsigned char MarginByte = 0xa5;
constexpr size_t MostFilled = 4 << 20;  // of large pieces only the beginning and the end start as NaN

struct Driver {
    std::recursive_mutex mutex;
    Ledger ledger;
    bool isInitialised = false;
    std::map<uintptr_t, Piece> memory;
    size_t deviceBytes = 0;
    std::map<CUdevice, std::pair<Context*, int>> primary;  // and how often retained
    std::set<const void*> live;                            // handles of all kinds
    std::set<Stream*> streams;
    std::map<std::string, std::set<const void*>> resources;
    std::map<std::thread::id, std::vector<Context*>> below;  // contexts under the current one
    std::string answer;                                      // of the last question that has a text for an answer

    template <class T>
    T* add(const char* kind, T* handle) {
        live.insert(handle);
        resources[kind].insert(handle);
        return handle;
    }

    template <class T>
    void remove(const char* kind, T* handle) {
        live.erase(handle);
        resources[kind].erase(handle);
        delete handle;
    }

    bool isLive(const void* handle) const { return live.count(handle) != 0; }

    // ---- memory ----

    // The live piece that holds [address, address + bytes), or null.
    const Piece* pieceAt(uintptr_t address, size_t bytes) const {
        auto next = memory.upper_bound(address);
        if (next == memory.begin()) {
            return nullptr;
        }

        auto& [start, piece] = *std::prev(next);
        return address + bytes <= start + piece.bytes && address < start + piece.bytes ? &piece : nullptr;
    }

    bool isDevice(uintptr_t address, size_t bytes) const {
        const Piece* piece = pieceAt(address, bytes);
        return piece != nullptr && !piece->isPinned;
    }

    uintptr_t allocate(size_t bytes, bool isPinned, bool isAsync, Context* context) {
        size_t whole = Margin + ((bytes + 255) / 256 * 256) + Margin;
        auto raw = static_cast<unsigned char*>(std::aligned_alloc(256, whole));
        if (raw == nullptr) {
            return 0;
        }

        std::memset(raw, MarginByte, Margin);
        std::memset(raw + Margin + bytes, MarginByte, whole - Margin - bytes);
        size_t filled = std::min(bytes, MostFilled);
        std::memset(raw + Margin, 0xff, filled);
        std::memset(raw + Margin + bytes - filled, 0xff, filled);
        FENCE_OFF(raw, Margin);
        FENCE_OFF(raw + Margin + bytes, whole - Margin - bytes);
        auto address = reinterpret_cast<uintptr_t>(raw) + Margin;
        memory[address] = {bytes, isPinned, isAsync, context};
        deviceBytes += isPinned ? 0 : bytes;
        return address;
    }

    void release(uintptr_t address) {
        checkMargins(address);
        Piece piece = memory[address];
        deviceBytes -= piece.isPinned ? 0 : piece.bytes;
        memory.erase(address);
        std::free(reinterpret_cast<void*>(address - Margin));
    }

    void checkMargins(uintptr_t address) {
        Piece piece = memory[address];
        size_t whole = Margin + ((piece.bytes + 255) / 256 * 256) + Margin;
        auto raw = reinterpret_cast<unsigned char*>(address - Margin);
        OPEN_UP(raw, whole);
        for (size_t i = 0; i < whole; i++) {
            bool isMargin = i < Margin || i >= Margin + piece.bytes;
            if (isMargin && raw[i] != MarginByte) {
                ledger.complain(
                    "memory was written at byte " + std::to_string(static_cast<long>(i) - static_cast<long>(Margin)) + " of an allocation of " +
                    std::to_string(piece.bytes) + " bytes");
                std::memset(raw, MarginByte, Margin);
                std::memset(raw + Margin + piece.bytes, MarginByte, whole - Margin - piece.bytes);
                break;
            }

            i = i == Margin ? Margin + piece.bytes - 1 : i;
        }

        FENCE_OFF(raw, Margin);
        FENCE_OFF(raw + Margin + piece.bytes, whole - Margin - piece.bytes);
    }

    // ---- streams ----

    // The stream that a handle means for the calling thread, or null.
    Stream* streamOf(void* handle) {
        if (handle == nullptr || handle == reinterpret_cast<void*>(1) || handle == reinterpret_cast<void*>(2)) {
            return thread.context != nullptr ? thread.context->legacy : nullptr;
        }

        auto stream = static_cast<Stream*>(handle);
        return streams.count(stream) != 0 ? stream : nullptr;
    }

    // Work in the order of a stream: noted in a graph, put off, or done.
    CUresult submit(Stream* stream, Work work) {
        if (stream->capture != nullptr) {
            if (stream->capture->isInvalid) {
                return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
            }

            stream->capture->graph->work.push_back(std::move(work));
            return CUDA_SUCCESS;
        }

        if (CUresult implied = joinLegacy(stream)) {
            return implied;
        }

        if (ledger.options["deferred"] != 0) {
            stream->waiting.push_back(std::move(work));
        } else {
            perform(stream->context, work);
        }

        return CUDA_SUCCESS;
    }

    // The default stream waits for all blocking streams, and they for it.
    CUresult joinLegacy(Stream* stream) {
        if ((stream->flags & CU_STREAM_NON_BLOCKING) != 0) {
            return CUDA_SUCCESS;
        }

        for (Stream* other : streams) {
            bool isJoined = other != stream && other->context == stream->context && (other->flags & CU_STREAM_NON_BLOCKING) == 0 &&
                (stream == stream->context->legacy || other == other->context->legacy);
            if (isJoined && other->capture != nullptr) {
                other->capture->isInvalid = true;
                return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
            }

            if (isJoined) {
                drain(other);
            }
        }

        return CUDA_SUCCESS;
    }

    // An error of a kernel is told by later calls, and by all of them.
    void perform(Context* context, const Work& work) {
        if (context->error == CUDA_SUCCESS) {
            context->error = work.run();
        }
    }

    void drain(Stream* stream) {
        while (!stream->waiting.empty()) {
            Work work = std::move(stream->waiting.front());
            stream->waiting.pop_front();
            perform(stream->context, work);
        }
    }

    void drain(Context* context) {
        for (Stream* stream : streams) {
            if (stream->context == context) {
                drain(stream);
            }
        }
    }

    // Whether a call that stream capture forbids is made while it must not be; the captures are spoilt then.
    bool spoilsCapture() {
        bool isForbidden = false;
        for (Stream* stream : streams) {
            Capture* capture = stream->capture.get();
            if (capture == nullptr || thread.captureMode == CU_STREAM_CAPTURE_MODE_RELAXED) {
                continue;
            }

            bool isMine = capture->owner == std::this_thread::get_id() && capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED;
            bool isGlobal = capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL && thread.captureMode == CU_STREAM_CAPTURE_MODE_GLOBAL;
            if (isMine || isGlobal) {
                capture->isInvalid = true;
                isForbidden = true;
            }
        }

        return isForbidden;
    }

    // Handles that callers may still have are no longer live; what is behind them is not worth deleting.
    void forget() {
        while (!memory.empty()) {
            release(memory.begin()->first);
        }

        streams.clear();
        primary.clear();
        live.clear();
        resources.clear();
    }

    std::string leaks() const {
        std::string text;
        for (auto& [kind, handles] : resources) {
            text += handles.empty() ? "" : std::to_string(handles.size()) + " " + kind + "\n";
        }

        for (auto& [address, piece] : memory) {
            text += (piece.isPinned ? "pinned memory of " : "device memory of ") + std::to_string(piece.bytes) + " bytes\n";
        }

        return text;
    }
};

inline Driver& driver = *new Driver();  // never destroyed: threads may still call while the process ends

}  // namespace doubles
