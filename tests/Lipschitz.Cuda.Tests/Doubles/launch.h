// The kernels of kernels.cu by name, and how to run them; see kernels.cpp.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "thread.h"

namespace doubles {

enum class ParameterKind { Number, Address, Matrix };

struct Parameter {
    int bytes;
    ParameterKind kind;
};

struct Kernel {
    std::string name;
    void (*call)(void* const* parameters);  // as one thread
    std::vector<Parameter> parameters;
};

const std::map<std::string, Kernel>& kernels();

// Runs all threads of all blocks, the blocks one after another, or at once where they are cooperative; what is wrong with the kernel, or nothing.
std::string run(const Kernel& kernel, void* const* parameters, Index blocks, unsigned threads, bool isCooperative);

}  // namespace doubles
