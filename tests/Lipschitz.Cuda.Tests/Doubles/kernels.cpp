// The kernels, compiled for this machine. kernels.table has a line KERNEL_OF(name) for each; it is made from the preprocessed kernels.cu.
#include <type_traits>
#include <utility>

#include "blocks.h"
#include "launch.h"
#include "shim.h"

#include "kernels.cu"

namespace doubles {

__thread Thread thread;

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

const std::map<std::string, Kernel>& kernels() {
#define KERNEL_OF(name) {#name, Caller<&::name>::kernel(#name)},
    static const std::map<std::string, Kernel> all{
#include "kernels.table"
    };
#undef KERNEL_OF
    return all;
}

std::string run(const Kernel& kernel, void* const* parameters, Index blocks, unsigned threads, bool isCooperative) {
    Body body = [&] { kernel.call(parameters); };
    Grid grid{blocks, threads};
    return isCooperative ? runCooperativeGrid(grid, body) : runGrid(grid, body);
}

}  // namespace doubles
