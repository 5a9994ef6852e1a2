using MarketData.MockKalshi.Faults.Kinds;

namespace MarketData.MockKalshi.Faults;

/// <summary>A fault and its counters at one moment.</summary>
internal sealed record FaultView(Fault Fault, FaultState State, long Seen, long Fired);

/// <summary>Every fault of this exchange, active and past, and which of its occasions it fires on. Thread-safe.</summary>
internal sealed partial class FaultRegistry(MockKalshiMetrics metrics, TimeProvider timeProvider, ILogger<FaultRegistry> logger)
{
    /// <summary>Faults that may wait at once.</summary>
    private const int MaxActive = 1000;

    /// <summary>Past faults that are remembered; the oldest is forgotten, and what lasted of it ends.</summary>
    private const int MaxPast = 200;

    private readonly Lock _gate = new();

    /// <summary>Every remembered fault in order of its id. Guarded by the gate, like the faults' counters.</summary>
    private readonly List<Fault> _faults = [];

    private volatile Fault[] _active = [];
    private int _lastId, _lastConnection;

    /// <summary>The faults that may still fire, oldest first. Empty is the usual case, and finding that out is one volatile read.</summary>
    public Fault[] Active => _active;

    /// <summary>The number of the connection that was accepted last; they count from 1.</summary>
    public int LastConnection => Volatile.Read(ref _lastConnection);

    /// <exception cref="BadFaultException">Too many faults are active.</exception>
    public FaultView Add(Fault fault)
    {
        lock (_gate)
        {
            if (_active.Length >= MaxActive) throw new BadFaultException($"{MaxActive} faults are active already; remove some first");
            fault.Id = ++_lastId;
            _faults.Add(fault);
            Settle();
            return View(fault);
        }
    }

    /// <summary>Null when there is no such fault, or it is forgotten.</summary>
    public FaultView? Remove(int id)
    {
        lock (_gate)
        {
            if (_faults.Find(fault => fault.Id == id) is not { } fault) return null;
            fault.Remove();
            Settle();
            return View(fault);
        }
    }

    /// <summary>Removes every fault; returns how many were active.</summary>
    public int RemoveAll()
    {
        lock (_gate)
        {
            int active = _active.Length;
            foreach (var fault in _faults) fault.Remove();
            Settle();
            return active;
        }
    }

    public List<FaultView> List()
    {
        lock (_gate) return _faults.ConvertAll(View);
    }

    /// <summary>A fault's occasion has come; true when it fires.</summary>
    public bool TryFire(Fault fault)
    {
        bool first;
        lock (_gate)
        {
            if (!fault.Advance()) return false;
            first = fault.Fired == 1;
            if (fault.State != FaultState.Active) Settle();
        }

        metrics.FaultFired(fault.Kind);
        // Once for each fault, however often it fires: the counters tell the rest.
        if (first) LogFired(fault.Id, fault.Kind);
        return true;
    }

    /// <summary>A fault hides the market at present.</summary>
    public bool Hides(string ticker) =>
        Array.Exists(_active, fault => fault is HideMarketFault hide && hide.Market == ticker && TryFire(hide));

    /// <summary>What can go wrong on a connection that was just accepted.</summary>
    /// <param name="abort">Ends the connection without a word.</param>
    public ConnectionFaults Accept(Action abort) => new(this, Interlocked.Increment(ref _lastConnection), abort, timeProvider);

    private void Settle()
    {
        int tooMany = _faults.Count(fault => fault.State != FaultState.Active) - MaxPast;
        for (int i = 0; tooMany > 0; i++)
        {
            if (_faults[i].State == FaultState.Active) continue;
            _faults[i].Remove();
            _faults.RemoveAt(i--);
            tooMany--;
        }

        _active = [.. _faults.Where(fault => fault.State == FaultState.Active)];
    }

    private static FaultView View(Fault fault) => new(fault, fault.State, fault.Seen, fault.Fired);

    [LoggerMessage(10, LogLevel.Warning, "Fault {Id} ({Kind}) fired as it was asked to; when it fires again it is only counted")]
    private partial void LogFired(int id, string kind);
}
