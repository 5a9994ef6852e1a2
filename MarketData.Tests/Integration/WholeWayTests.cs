using System.Text.Json;

namespace MarketData.Tests.Integration;

/// <summary>A recorded session goes in at the exchange; what clients receive is compared with the recording itself.</summary>
[Collection("Topology")]
public sealed class WholeWayTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Every_recorded_public_frame_that_changes_something_reaches_a_client_once_in_order_and_byte_for_byte()
    {
        using var folder = new TemporaryFolder();
        var session = RecordedSession.FiveMarkets(folder.Path);
        await using var topology = await Topology.StartAsync(session.Path, speed: "0", bootstrap: false);
        await using var client = await MarketDataClient.ConnectAsync(topology.Gateway, "all");
        await client.HoldsAsync(session.Books);

        // The mock plays the session anew on each connection: now the client is there from the first frame.
        await topology.StopAsync("ingest");
        await topology.StartAsync("ingest");
        await CompleteAsync(client, session);

        AssertSameFrames(session, client);
        Assert.All(client.Envelopes, envelope => AssertDocumentedFields(envelope));
        Assert.DoesNotContain(client.Envelopes, envelope => envelope.Text.Contains("\"fill\"", StringComparison.Ordinal));
        await client.HoldsAsync(session.Books);
        Assert.Empty(client.Faults);
    }

    [Fact]
    public async Task A_market_channel_begins_with_a_snapshot_and_rebuilds_the_book()
    {
        using var folder = new TemporaryFolder();
        var session = RecordedSession.FiveMarkets(folder.Path);
        var (ticker, book) = session.Books.First();
        await using var topology = await Topology.StartAsync(session.Path, speed: "60");
        await using var client = await MarketDataClient.ConnectAsync(topology.Gateway, $"{ticker}:orderbook_delta");

        await client.HoldsAsync(new Dictionary<string, ClientBook> { [ticker] = book });

        Assert.Equal("orderbook_snapshot", client.Envelopes[0].Channel);
        Assert.All(client.Envelopes, envelope => Assert.Equal(ticker, envelope.Ticker));
        Assert.Empty(client.Faults);
    }

    [Fact]
    public async Task The_burst_recording_arrives_complete_and_in_order_as_fast_as_it_is_accepted()
    {
        var session = RecordedSession.Open(Recordings.Require(Recordings.BurstSession));
        await using var topology = await Topology.StartAsync(session.Path, speed: "0", bootstrap: false);
        await topology.StopAsync("ingest");
        await using var client = await MarketDataClient.ConnectAsync(topology.Gateway, "all");
        await topology.StartAsync("ingest");

        await CompleteAsync(client, session);
        await client.HoldsAsync(session.Books);
        AssertSameFrames(session, client);
        Assert.Empty(client.Faults);
    }

    // Keeps only the last epoch: what an ingest process before the last start has published is not part of the comparison.
    private static async Task CompleteAsync(MarketDataClient client, RecordedSession session)
    {
        await Eventually.TrueAsync(
            () => client.CountOfLastEpoch >= session.Count,
            Timeout,
            () => $"all {session.Count} frames arrived; {client.CountOfLastEpoch} of {client.Count} did, faults: {string.Join("; ", client.Faults)}");
        client.KeepLastEpoch();
    }

    private static void AssertSameFrames(RecordedSession session, MarketDataClient client)
    {
        var received = client.Envelopes.ToLookup(
            envelope => (envelope.Ticker!, RecordedSession.StreamOf(envelope.Channel)),
            envelope => RecordedSession.WithoutNumbers(Payload(envelope.Text)));
        Assert.Equal(session.Frames.Keys.Order(), received.Select(stream => stream.Key).Order());
        foreach (var (stream, frames) in session.Frames) Assert.Equal(frames, received[stream]);
    }

    private static string Payload(string envelope)
    {
        const string Start = "{\"payload\":", End = ",\"receivedTimestamp\":";
        Assert.StartsWith(Start, envelope, StringComparison.Ordinal);
        return envelope[Start.Length..envelope.LastIndexOf(End, StringComparison.Ordinal)];
    }

    private static void AssertDocumentedFields(ReceivedEnvelope received)
    {
        using var document = JsonDocument.Parse(received.Text);
        var envelope = document.RootElement;
        Assert.Equal(JsonValueKind.Object, envelope.GetProperty("payload").ValueKind);
        foreach (var number in (string[])["receivedTimestamp", "publishedTimestamp", "sequence", "version", "streamSequence", "streamEpoch"])
            Assert.True(envelope.GetProperty(number).TryGetInt64(out _), $"{number} is {envelope.GetProperty(number)}");
        foreach (var text in (string[])["channel", "marketTicker", "source"])
            Assert.Equal(JsonValueKind.String, envelope.GetProperty(text).ValueKind);
        Assert.Equal("kalshi-websocket", envelope.GetProperty("source").GetString());
        Assert.Equal(1, envelope.GetProperty("version").GetInt32());
    }
}
