// What tests want to know and to change: options, calls, failures to inject, complaints.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "control.h"

namespace doubles {

struct Ledger {
    std::map<std::string, long> options, calls;
    std::map<std::string, std::pair<int, int>> failures;  // calls still to come before the failure, its status
    std::vector<std::string> called;
    std::string complaints;

    Ledger() { reset(); }

    void reset() {
        options = {
            {"devices", 1}, {"driver", 12060}, {"memory", 2L << 30}, {"deferred", 0}, {"strided", 1}, {"cublas", 120600}, {"cudnn", 90600},
            {"major", 8}, {"minor", 0}, {"multiprocessors", 3}, {"cooperative", 1}, {"pools", 1},
        };
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
};

}  // namespace doubles
