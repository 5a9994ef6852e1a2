using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Admission;

/// <summary>Counts connections in total, by address and by caller, so that none has more than its share. Thread-safe.</summary>
internal sealed class ConnectionSlots(IOptions<AdmissionOptions> options)
{
    // An IPv6 host has a network of this size to itself, at the least (RFC 6177).
    private const int HostNetworkBytes = 8;

    // Long enough that those who are refused do not come back at once, short enough for a place that gets free.
    private const int RetrySeconds = 5;

    private readonly Lock _lock = new();

    // Guarded by _lock. Only what has connections is in there.
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private readonly Dictionary<string, int> _byCaller = [];
    private int _total;

    /// <summary>Takes a place, which the caller frees by disposing it.</summary>
    public Decision<IDisposable> Take(IPAddress address, Caller caller)
    {
        var host = HostOf(address);
        lock (_lock)
        {
            if (_total >= options.Value.MaxConnections)
                return Refused(RefusalReason.Full, StatusCodes.Status503ServiceUnavailable, "The gateway is full.");
            if (_byAddress.GetValueOrDefault(host) >= options.Value.MaxConnectionsPerAddress)
                return Refused(RefusalReason.Address, StatusCodes.Status429TooManyRequests, $"The connections of address {host} are limited to {options.Value.MaxConnectionsPerAddress}: close one first.");
            if (_byCaller.GetValueOrDefault(caller.Name) >= caller.Limits.MaxConnections)
                return Refused(RefusalReason.Caller, StatusCodes.Status429TooManyRequests, $"The connections of this credential are limited to {caller.Limits.MaxConnections}: close one first.");
            _total++;
            Add(_byAddress, host);
            Add(_byCaller, caller.Name);
            return new Slot(this, host, caller.Name);
        }
    }

    private static Refusal Refused(RefusalReason reason, int status, string error) => new(reason, status, error) { RetryAfter = RetrySeconds };

    private static IPAddress HostOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(HostNetworkBytes).Clear();
        return new IPAddress(bytes);
    }

    private static void Add<TKey>(Dictionary<TKey, int> counts, TKey key)
        where TKey : notnull => CollectionsMarshal.GetValueRefOrAddDefault(counts, key, out _)++;

    private static void Remove<TKey>(Dictionary<TKey, int> counts, TKey key)
        where TKey : notnull
    {
        if (--CollectionsMarshal.GetValueRefOrNullRef(counts, key) == 0) counts.Remove(key);
    }

    private void Free(IPAddress host, string caller)
    {
        lock (_lock)
        {
            _total--;
            Remove(_byAddress, host);
            Remove(_byCaller, caller);
        }
    }

    private sealed class Slot(ConnectionSlots slots, IPAddress host, string caller) : IDisposable
    {
        private int _isFreed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isFreed, 1) == 0) slots.Free(host, caller);
        }
    }
}
