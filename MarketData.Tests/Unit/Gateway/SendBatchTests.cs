using System.Net;
using System.Net.Sockets;
using MarketData.Gateway.Fanout;

namespace MarketData.Tests.Unit.Gateway;

public sealed class SendBatchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_connection_gets_its_bytes_in_the_order_of_the_batches(bool usesIoUring)
    {
        using var batch = Open(usesIoUring);
        using var pairs = new Pairs(SendBatch.Capacity);
        byte[] bytes = GC.AllocateUninitializedArray<byte>(16 << 10, pinned: true);
        Random.Shared.NextBytes(bytes);
        var expected = pairs.Senders.Select(_ => new List<byte>()).ToList();

        // Many times around the ring, whose end lies within batches, and with large sends, which go by themselves, among the small.
        for (int round = 0; round < 10; round++)
        {
            int count = SendBatch.Capacity - round;
            int[] lengths = [.. Enumerable.Range(0, count).Select(i => 1 + i + round + (i % 10 == 0 ? 5000 : 0))];
            for (int i = 0; i < count; i++)
            {
                batch.Add(pairs.Senders[i].SafeHandle, bytes.AsSpan(i, lengths[i]));
                expected[i].AddRange(bytes.AsSpan(i, lengths[i]));
            }

            Assert.Equal(lengths, batch.Complete().ToArray());
        }

        for (int i = 0; i < SendBatch.Capacity; i++) Assert.Equal(expected[i], Receive(pairs.Receivers[i], expected[i].Count));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_full_a_closed_and_a_broken_connection_take_less_and_hold_up_nobody(bool usesIoUring)
    {
        using var batch = Open(usesIoUring);
        using var pairs = new Pairs(4);
        byte[] bytes = GC.AllocateUninitializedArray<byte>(4096, pinned: true);
        var (full, closed, broken, sound) = (pairs.Senders[0], pairs.Senders[1], pairs.Senders[2], pairs.Senders[3]);
        var closedHandle = closed.SafeHandle;
        closed.Dispose();
        broken.Shutdown(SocketShutdown.Send);

        // The system makes room for a while.
        for (int sends = 0, refused = 0; refused < 3; sends++)
        {
            Assert.True(sends < 100_000, "The connection never became full.");
            batch.Add(full.SafeHandle, bytes);
            refused = batch.Complete()[0] > 0 ? 0 : refused + 1;
            if (refused > 0) full.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectWrite);
        }

        batch.Add(full.SafeHandle, bytes);
        batch.Add(closedHandle, bytes);
        batch.Add(broken.SafeHandle, bytes);
        batch.Add(null, bytes);
        batch.Add(sound.SafeHandle, default);
        batch.Add(sound.SafeHandle, bytes.AsSpan(0, 5));
        var taken = batch.Complete().ToArray();

        Assert.True(taken[0] < bytes.Length);
        Assert.Equal(0, taken[1]);
        Assert.True(taken[2] <= 0);
        Assert.Equal([0, 0, 5], taken[3..]);
        Assert.Equal(bytes[..5], Receive(pairs.Receivers[3], 5));
    }

    [Fact]
    public async Task A_connection_that_is_closed_meanwhile_ends_when_the_batch_is_complete()
    {
        using var batch = Open(usesIoUring: true);
        using var pairs = new Pairs(2);
        byte[] bytes = GC.AllocateUninitializedArray<byte>(8, pinned: true);
        batch.Add(pairs.Senders[0].SafeHandle, bytes);
        batch.Add(pairs.Senders[1].SafeHandle, bytes);

        // Else the number of its file could be another connection's by the time of the send.
        var closing = Task.Run(pairs.Senders[0].Dispose, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => !pairs.Senders[0].Connected, Patience, () => "the connection is being closed");
        Assert.False(closing.IsCompleted);

        Assert.Equal(bytes.Length, batch.Complete()[1]);
        await closing.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(bytes, Receive(pairs.Receivers[1], bytes.Length));
    }

    private static SendBatch Open(bool usesIoUring)
    {
        var batch = new SendBatch(usesIoUring);
        Assert.SkipWhen(batch.Refusal != null, $"The kernel does not give io_uring: {batch.Refusal}");
        Assert.Equal(usesIoUring, batch.HasIoUring);
        return batch;
    }

    private static byte[] Receive(Socket socket, int length)
    {
        var received = new byte[length];
        for (int at = 0; at < length;)
        {
            int count = socket.Receive(received.AsSpan(at));
            Assert.True(count > 0, $"The connection ended after {at} of {length} bytes.");
            at += count;
        }

        return received;
    }

    /// <summary>Connected sockets.</summary>
    private sealed class Pairs : IDisposable
    {
        public Pairs(int count)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            for (int i = 0; i < count; i++)
            {
                Senders.Add(new Socket(SocketType.Stream, ProtocolType.Tcp));
                Senders[i].Connect(listener.LocalEndpoint);
                Receivers.Add(listener.AcceptSocket());
                Receivers[i].ReceiveTimeout = (int)Patience.TotalMilliseconds;
            }
        }

        public List<Socket> Senders { get; } = [];

        public List<Socket> Receivers { get; } = [];

        public void Dispose()
        {
            foreach (var socket in Senders.Concat(Receivers)) socket.Dispose();
        }
    }
}
