// How tests steer the doubles and ask what happened: functions that the fake libcuda exports and the other fakes and the tests call.
#pragma once

#define DOUBLE_API extern "C" __attribute__((visibility("default")))

// The nth call from now on (1: the next) of the named function does nothing but return status. nth 0: no call.
DOUBLE_API void lipschitz_double_fail(const char* call, int nth, int status);

// Sets an option to a value: devices, driver (version), memory (bytes), deferred (1: work of streams waits until somebody waits for it),
// strided (0: cuDNN refuses tensors with gaps), cublas and cudnn (versions).
DOUBLE_API void lipschitz_double_set(const char* option, long value);

DOUBLE_API long lipschitz_double_get(const char* option);

// How often the named function was called since the last reset.
DOUBLE_API long lipschitz_double_calls(const char* name);

// How often the named kernel was launched since the process began.
DOUBLE_API long lipschitz_double_launches(const char* kernel);

// The names of all functions called since the last reset, one a line, in the order of their first calls.
DOUBLE_API const char* lipschitz_double_called();

// What callers did wrong since the last reset, one a line; empty if nothing.
DOUBLE_API const char* lipschitz_double_complaints();

// Everything that was made and not released, one a line; empty if nothing.
DOUBLE_API const char* lipschitz_double_leaks();

// Bytes of device memory now in use.
DOUBLE_API long lipschitz_double_bytes();

// Forgets failures, counts, complaints and errors that stick, and sets all options back. Resources stay.
DOUBLE_API void lipschitz_double_reset();

// Releases everything that was not released, such as what a call that was made to fail should have.
DOUBLE_API void lipschitz_double_forget();

// For the other fakes: notes a call and tells what to return in its place (0: nothing); complains; counts a resource in or out.
DOUBLE_API int lipschitz_double_enter(const char* call);
DOUBLE_API void lipschitz_double_complain(const char* what);
DOUBLE_API void lipschitz_double_resource(const char* kind, const void* handle, int change);

// For the other fakes: work in the order of a stream, run now or when a graph is launched; data is copied. Returns a CUresult.
DOUBLE_API int lipschitz_double_submit(void* stream, const char* what, void (*work)(void* data), const void* data, unsigned long bytes);

// For the other fakes: whether [address, address + bytes) lies in one piece of live device memory.
DOUBLE_API int lipschitz_double_isDeviceMemory(const void* address, unsigned long bytes);

// For the other fakes: whether a stream is being captured; whether the calling thread has a current context.
DOUBLE_API int lipschitz_double_isCapturing(void* stream);
DOUBLE_API int lipschitz_double_hasContext();
