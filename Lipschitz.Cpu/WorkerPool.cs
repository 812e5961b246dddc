using Lipschitz.Backends;

namespace Lipschitz.Cpu;

/// <summary>
/// A few threads that stay: <see cref="Run"/> hands the indices 0..count-1 out to them and to the caller.
/// </summary>
/// <remarks>
/// The state of a run is one 64-bit number: which run it is, and how many indices are left. Taking an index is one compare-and-swap on
/// it, so that a thread that comes late to a run can never take an index of the next run for one of its own.
/// Threads without work look on for some microseconds, then sleep.
/// </remarks>
internal sealed class WorkerPool : IDisposable
{
    private const int SpinRounds = 200;

    [ThreadStatic]
    private static bool s_isInside;

    private readonly Lock _callers = new();
    private readonly object _gate = new();
    private readonly Thread[] _threads;
    private readonly List<Exception> _failures = [];
    private Action<int>? _body;
    private int _count;
    private long _left; // run number in the upper half, indices left in the lower
    private int _unfinished;
    private bool _callerSleeps;
    private bool _isStopping;

    /// <summary>Starts <paramref name="threads"/> - 1 threads; the caller of <see cref="Run"/> is the other.</summary>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        _threads = new Thread[threads - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            _threads[i] = new Thread(Work) { IsBackground = true, Name = $"Lipschitz worker {i + 1}" };
            _threads[i].Start();
        }
    }

    /// <summary>Threads, the caller's included.</summary>
    public int Threads => _threads.Length + 1;

    /// <summary>
    /// Calls <paramref name="body"/> once for each of 0..count-1 and returns when all are done. A call from inside a body, or while
    /// another thread is in here, runs on the calling thread alone.
    /// </summary>
    /// <exception cref="AggregateException">Some calls failed; the others were still made.</exception>
    public void Run(int count, Action<int> body)
    {
        if (count <= 1 || _threads.Length == 0 || s_isInside || !_callers.TryEnter())
        {
            IBackend.OneByOne(count, body);
            return;
        }

        try
        {
            Start(count, body);
            s_isInside = true;
            TakeAll();
            s_isInside = false;
            WaitForAll();
            _body = null;
            if (_failures.Count > 0)
            {
                var failure = new AggregateException(_failures);
                _failures.Clear();
                throw failure;
            }
        }
        finally
        {
            _callers.Exit();
        }
    }

    /// <summary>Stops the threads and waits for them.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.PulseAll(_gate);
        }

        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private void Start(int count, Action<int> body)
    {
        _body = body;
        _count = count;
        _unfinished = count;
        lock (_gate)
        {
            long run = (_left >> 32) + 1;
            Volatile.Write(ref _left, (run << 32) | (uint)count);
            Monitor.PulseAll(_gate);
        }
    }

    private void Work()
    {
        s_isInside = true;
        while (true)
        {
            TakeAll();
            var spinner = default(SpinWait);
            for (int i = 0; i < SpinRounds && !HasWork; i++)
            {
                spinner.SpinOnce(sleep1Threshold: -1);
            }

            if (!HasWork)
            {
                lock (_gate)
                {
                    while (!HasWork && !_isStopping)
                    {
                        Monitor.Wait(_gate);
                    }

                    if (_isStopping)
                    {
                        return;
                    }
                }
            }
        }
    }

    private bool HasWork => (int)Volatile.Read(ref _left) > 0;

    private void TakeAll()
    {
        while (true)
        {
            long seen = Volatile.Read(ref _left);
            int left = (int)seen;
            if (left == 0)
            {
                return;
            }

            if (Interlocked.CompareExchange(ref _left, seen - 1, seen) != seen)
            {
                continue;
            }

            // The run cannot end, and so body and count cannot change, before this index is done.
            try
            {
                _body!(_count - left);
            }
            catch (Exception failure)
            {
                lock (_failures)
                {
                    _failures.Add(failure);
                }
            }

            if (Interlocked.Decrement(ref _unfinished) == 0)
            {
                lock (_gate)
                {
                    if (_callerSleeps)
                    {
                        Monitor.PulseAll(_gate);
                    }
                }
            }
        }
    }

    private void WaitForAll()
    {
        var spinner = default(SpinWait);
        for (int i = 0; i < SpinRounds && Volatile.Read(ref _unfinished) > 0; i++)
        {
            spinner.SpinOnce(sleep1Threshold: -1);
        }

        if (Volatile.Read(ref _unfinished) > 0)
        {
            lock (_gate)
            {
                _callerSleeps = true;
                while (Volatile.Read(ref _unfinished) > 0)
                {
                    Monitor.Wait(_gate);
                }

                _callerSleeps = false;
            }
        }
    }
}
