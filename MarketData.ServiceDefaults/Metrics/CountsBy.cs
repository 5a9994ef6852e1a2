using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace MarketData.ServiceDefaults.Metrics;

/// <summary>Counts events by their kind, under the kind's name in snake case. Thread-safe.</summary>
/// <typeparam name="T">An enumeration of bytes, numbered from 0 without holes.</typeparam>
public sealed class CountsBy<T>
    where T : struct, Enum
{
    private static readonly T[] Kinds = Enum.GetValues<T>();
    private static readonly string[] Names = [.. Kinds.Select(kind => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()))];
    private readonly long[] _counts = new long[Kinds.Length];

    public long Sum
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < _counts.Length; i++) sum += Interlocked.Read(ref _counts[i]);
            return sum;
        }
    }

    /// <summary>Only what has happened: a list of zeros tells nothing.</summary>
    public IReadOnlyDictionary<string, long> ByName
    {
        get
        {
            var byName = new Dictionary<string, long>();
            for (int i = 0; i < _counts.Length; i++)
            {
                if (Interlocked.Read(ref _counts[i]) is > 0 and var count) byName[Names[i]] = count;
            }

            return byName;
        }
    }

    public void Increment(T kind) => Interlocked.Increment(ref _counts[Unsafe.As<T, byte>(ref kind)]);

    /// <summary>Shows the counts as one instrument, with the kind as <paramref name="tag"/>.</summary>
    public void Observe(Meter meter, string name, string tag, string unit, string description) => meter.CreateObservableCounter(
        name, () => ByName.Select(count => new Measurement<long>(count.Value, new KeyValuePair<string, object?>(tag, count.Key))), unit, description);
}
