using MarketData.LocalKafka;
using MarketData.LocalKafka.Groups;
using Microsoft.Extensions.Logging.Abstractions;

namespace MarketData.Tests.Unit.LocalKafka;

/// <summary>The file of committed offsets.</summary>
public sealed class CommittedOffsetsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("localkafka-offsets-").FullName;

    private string OffsetsFile => Path.Combine(_folder, "offsets");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Commits_and_removals_are_read_back()
    {
        using (var offsets = Open())
        {
            offsets.Commit("g", "t", 0, new CommittedOffset(5, -1, "note", 1));
            offsets.Commit("g", "t", 1, new CommittedOffset(6, 0, "", 2));
            offsets.Commit("gone", "t", 0, new CommittedOffset(7, 0, "", 3));
            offsets.Remove("gone", "t", 0);
            offsets.Save();
        }
        using var again = Open();
        Assert.Equal(new CommittedOffset(5, -1, "note", 1), again.Find("g", "t", 0));
        Assert.Equal(6, again.Find("g", "t", 1)?.Offset);
        Assert.Equal(["g"], again.Groups);
    }

    [Fact]
    public void A_torn_entry_at_the_end_costs_only_itself()
    {
        using (var offsets = Open())
        {
            offsets.Commit("g", "t", 0, new CommittedOffset(5, -1, "", 1));
            offsets.Save();
            offsets.Commit("g", "t", 0, new CommittedOffset(9, -1, "", 2));
            offsets.Save();
        }
        using (var file = new FileStream(OffsetsFile, FileMode.Open)) file.SetLength(file.Length - 3);

        using var again = Open();
        Assert.Equal(5, again.Find("g", "t", 0)?.Offset);
    }

    [Fact]
    public void The_file_is_written_anew_before_it_holds_mostly_what_is_stale()
    {
        using var offsets = Open();
        var note = new string('x', 4000);
        for (var i = 0; i < 2000; i++)
        {
            offsets.Commit("g", "t", 0, new CommittedOffset(i, -1, note, i));
            offsets.Save();
        }
        Assert.InRange(new FileInfo(OffsetsFile).Length, 1, 1_100_000);
        Assert.Equal(1999, offsets.Find("g", "t", 0)?.Offset);
    }

    private CommittedOffsets Open() => new(OffsetsFile, FlushMode.Os, NullLogger.Instance);
}
