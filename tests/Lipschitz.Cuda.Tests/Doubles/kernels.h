// The kernels of kernels.cu by name, and what the PTX text says of them.
#pragma once
#include <cstring>
#include <map>
#include <sstream>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#define LIPSCHITZ_HOST 1
#include "shim.h"
#include "kernels.cu"

namespace doubles {

enum class ParameterKind { Number, Address, Matrix };

struct Parameter {
    int bytes;
    ParameterKind kind;
};

struct Kernel {
    std::string name;
    void (*call)(void* const* parameters);
    std::vector<Parameter> parameters;
};

template <auto F>
struct Caller;

template <class... A, void (*F)(A...)>
struct Caller<F> {
    static void call(void* const* parameters) { call(parameters, std::index_sequence_for<A...>()); }

    template <size_t... I>
    static void call(void* const* parameters, std::index_sequence<I...>) {
        (void)parameters;
        F(*static_cast<std::remove_const_t<A>*>(parameters[I])...);
    }

    static Kernel kernel(const char* name) { return {name, &call, {{static_cast<int>(sizeof(A)), kindOf<A>()}...}}; }

    template <class T>
    static ParameterKind kindOf() {
        return std::is_same_v<T, View> ? ParameterKind::Matrix : std::is_pointer_v<T> ? ParameterKind::Address : ParameterKind::Number;
    }
};

// kernels.table has a line KERNEL_OF(name) for each kernel; it is made from the preprocessed kernels.cu.
inline const std::map<std::string, Kernel>& kernels() {
#define KERNEL_OF(name) {#name, Caller<&::name>::kernel(#name)},
    static const std::map<std::string, Kernel> all{
#include "kernels.table"
    };
#undef KERNEL_OF
    return all;
}

// An entry of a PTX text.
struct Entry {
    std::string name;
    std::vector<int> parameters;  // bytes
    long sharedBytes = 0;
};

inline int bytesOfType(const std::string& type) {
    return type == ".b8" || type == ".u8" || type == ".s8" ? 1
        : type == ".b16" || type == ".u16" || type == ".s16" || type == ".f16" ? 2
        : type == ".b32" || type == ".u32" || type == ".s32" || type == ".f32" ? 4
        : type == ".b64" || type == ".u64" || type == ".s64" || type == ".f64" ? 8 : 0;
}

// Such as ".param .align 8 .b8 k_param_0[24]": the bytes it takes, and its name.
inline int bytesOfDeclaration(const std::string& text, std::string& name) {
    std::istringstream words(text);
    std::string word;
    int bytes = 0;
    while (words >> word) {
        if (word == ".align") {
            words >> word;
        } else if (bytesOfType(word) > 0) {
            bytes = bytesOfType(word);
        } else if (word[0] != '.') {
            size_t bracket = word.find('[');
            name = word.substr(0, bracket);
            return bracket == std::string::npos ? bytes : bytes * std::stoi(word.substr(bracket + 1));
        }
    }

    return bytes;
}

inline std::vector<Entry> entriesOf(const std::string& ptx) {
    std::map<std::string, int> shared;
    std::vector<std::pair<Entry, size_t>> found;
    for (size_t at = ptx.find(".shared"); at != std::string::npos; at = ptx.find(".shared", at + 1)) {
        size_t end = ptx.find_first_of(";\n", at);
        bool isDeclaration = ptx.compare(at, 8, ".shared ") == 0 || ptx.compare(at, 8, ".shared\t") == 0;
        if (isDeclaration) {
            std::string name;
            int bytes = bytesOfDeclaration(ptx.substr(at, end - at), name);
            shared[name] = bytes;
        }
    }

    for (size_t at = ptx.find(".entry"); at != std::string::npos; at = ptx.find(".entry", at + 1)) {
        size_t open = ptx.find('(', at), close = ptx.find(')', open);
        Entry entry;
        std::istringstream(ptx.substr(at + 6, open - at - 6)) >> entry.name;
        std::istringstream parameters(ptx.substr(open + 1, close - open - 1));
        std::string one, ignored;
        while (std::getline(parameters, one, ',')) {
            if (one.find(".param") != std::string::npos) {
                entry.parameters.push_back(bytesOfDeclaration(one, ignored));
            }
        }

        found.emplace_back(entry, close);
    }

    std::vector<Entry> entries;
    for (size_t i = 0; i < found.size(); i++) {
        size_t from = found[i].second, to = i + 1 < found.size() ? found[i + 1].second : ptx.size();
        std::string body = ptx.substr(from, to - from);
        for (auto& [name, bytes] : shared) {
            found[i].first.sharedBytes += body.find(name) != std::string::npos ? bytes : 0;
        }

        entries.push_back(found[i].first);
    }

    return entries;
}

}  // namespace doubles
