// What tests want to know and to change: options, calls, failures to inject, complaints.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "control.h"

namespace doubles {

struct Ledger {
    std::map<std::string, long> options, calls;
    std::map<std::string, std::pair<int, int>> failures;  // calls still to come before the failure, its status
    std::vector<std::string> called;
    std::string complaints;
    std::map<std::string, long> launches;  // of each kernel; never reset

    Ledger() { reset(); }

    // Writes how often each kernel was launched to the file that LIPSCHITZ_DOUBLE_REPORT names.
    void report() const {
        const char* path = std::getenv("LIPSCHITZ_DOUBLE_REPORT");
        std::FILE* file = path != nullptr ? std::fopen(path, "w") : nullptr;
        if (file != nullptr) {
            for (auto& [name, count] : launches) {
                std::fprintf(file, "%s %ld\n", name.c_str(), count);
            }

            std::fprintf(file, "complaints\n%s", complaints.c_str());
            std::fclose(file);
        }
    }

    void reset() {
        options = {
            {"devices", 1}, {"driver", 12060}, {"memory", 2L << 30}, {"deferred", 0}, {"strided", 1}, {"cublas", 120600}, {"cudnn", 90600}, {"cudart", 12060},
            {"major", 8}, {"minor", 0}, {"multiprocessors", 3}, {"cooperative", 1}, {"pools", 1},
        };
        readEnvironment();
        calls.clear();
        failures.clear();
        called.clear();
        complaints.clear();
    }

    // Notes a call; the status to return in its place, or 0.
    int enter(const std::string& call) {
        if (++calls[call] == 1) {
            called.push_back(call);
        }

        auto failure = failures.find(call);
        if (failure != failures.end() && --failure->second.first == 0) {
            int status = failure->second.second;
            failures.erase(failure);
            return status;
        }

        return 0;
    }

    void complain(const std::string& what) { complaints += what + "\n"; }

private:
    // LIPSCHITZ_DOUBLE_OPTIONS, such as "deferred=1,strided=0", for processes that tests start.
    void readEnvironment() {
        const char* text = std::getenv("LIPSCHITZ_DOUBLE_OPTIONS");
        std::istringstream words(text != nullptr ? text : "");
        std::string word;
        while (std::getline(words, word, ',')) {
            size_t equals = word.find('=');
            options[word.substr(0, equals)] = std::atol(word.c_str() + equals + 1);
        }
    }
};

}  // namespace doubles
