using System.Buffers.Binary;
using System.ComponentModel;
using System.Net;
using System.Runtime.InteropServices;

namespace MarketData.Benchmarks.Load;

/// <summary>
/// The system calls of Linux that a load client consists of. The framework's sockets cost more for each read than the server spends on sending
/// what is read, and a measuring client must be the cheaper side. Numbers are those of x64 and arm64.
/// </summary>
internal static partial class LibC
{
    public const int WouldBlock = 11, InProgress = 115, Interrupted = 4;

    public const uint Readable = 1, Writable = 4;

    private const int Ipv4 = 2, Stream = 1, NonBlocking = 0x800, CloseOnExec = 0x80000;
    private const int SocketLevel = 1, ErrorOption = 4, ReceiveBufferOption = 8, LingerOption = 13;
    private const int TcpLevel = 6, NoDelayOption = 1, IpLevel = 0, BindAddressNoPortOption = 24;
    private const int NoSignal = 0x4000, OpenFilesLimit = 7, ThreadProcessorClock = 3;

    // The kernel packs epoll_event on x64 only.
    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private static int LastError => Marshal.GetLastPInvokeError();

    /// <summary>What the last failed call said.</summary>
    public static string ErrorText(int error) => new Win32Exception(error).Message;

    /// <summary>The number of files that this process may have open.</summary>
    public static long OpenFiles()
    {
        Span<ulong> limits = stackalloc ulong[2];
        Check(GetResourceLimit(OpenFilesLimit, ref limits[0]), "getrlimit");
        return (long)Math.Min(limits[0], long.MaxValue);
    }

    /// <summary>What the calling thread has used of the processors.</summary>
    public static TimeSpan ThreadProcessorTime()
    {
        Span<long> time = stackalloc long[2];
        Check(GetTime(ThreadProcessorClock, ref time[0]), "clock_gettime");
        return TimeSpan.FromSeconds(time[0]) + TimeSpan.FromTicks(time[1] / 100);
    }

    /// <summary>Sleeps for less than the millisecond that <see cref="Thread.Sleep(int)"/> takes at least.</summary>
    public static void Sleep(int microseconds)
    {
        Span<long> time = [microseconds / 1_000_000, microseconds % 1_000_000 * 1000L];
        // Woken early by a signal is as good.
        _ = NanoSleep(ref time[0], 0);
    }

    /// <summary>A TCP socket that never blocks.</summary>
    /// <param name="receiveBufferBytes">0 for the system's own.</param>
    public static int OpenSocket(int receiveBufferBytes)
    {
        int socket = Check(Socket(Ipv4, Stream | NonBlocking | CloseOnExec, 0), "socket");
        SetOption(socket, TcpLevel, NoDelayOption, 1);
        if (receiveBufferBytes > 0) SetOption(socket, SocketLevel, ReceiveBufferOption, receiveBufferBytes);
        return socket;
    }

    /// <summary>Lets a connection come from this address; its port is chosen on connecting, so that one port serves several addresses.</summary>
    public static void BindAddress(int socket, IPAddress address)
    {
        SetOption(socket, IpLevel, BindAddressNoPortOption, 1);
        Span<byte> name = stackalloc byte[16];
        Write(name, address, port: 0);
        Check(Bind(socket, ref name[0], name.Length), "bind");
    }

    /// <returns>0, or the error number; <see cref="InProgress"/> when the answer is still to come.</returns>
    public static int Connect(int socket, IPEndPoint to)
    {
        Span<byte> name = stackalloc byte[16];
        Write(name, to.Address, to.Port);
        return Connect(socket, ref name[0], name.Length) == 0 ? 0 : LastError;
    }

    /// <summary>What has become of connecting: 0, or the error number.</summary>
    public static int PendingError(int socket)
    {
        int error = 0, length = sizeof(int);
        Check(GetSocketOption(socket, SocketLevel, ErrorOption, ref error, ref length), "getsockopt");
        return error;
    }

    /// <returns>Bytes, 0 at the end of the stream, or the negative error number.</returns>
    public static int Receive(int socket, Span<byte> buffer)
    {
        nint read = Receive(socket, ref MemoryMarshal.GetReference(buffer), (nuint)buffer.Length, 0);
        return read >= 0 ? (int)read : -LastError;
    }

    /// <summary>Sends all of it or fails: what a load client sends is far below any send buffer.</summary>
    public static bool TrySend(int socket, ReadOnlySpan<byte> bytes) =>
        Send(socket, ref MemoryMarshal.GetReference(bytes), (nuint)bytes.Length, NoSignal) == bytes.Length;

    /// <summary>Closes with a reset, which leaves no waiting state behind that would use the ports up.</summary>
    public static void Reset(int socket)
    {
        Span<int> linger = [1, 0];
        // A socket that is already reset refuses the option, and is closed all the same.
        _ = SetSocketOption(socket, SocketLevel, LingerOption, ref linger[0], 2 * sizeof(int));
        _ = Close(socket);
    }

    public static int OpenEpoll() => Check(EpollCreate(CloseOnExec), "epoll_create1");

    public static void CloseEpoll(int epoll) => _ = Close(epoll);

    public static void Watch(int epoll, int socket, uint events, int id) => Control(epoll, operation: 1, socket, events, id);

    public static void Rewatch(int epoll, int socket, uint events, int id) => Control(epoll, operation: 3, socket, events, id);

    public static void Unwatch(int epoll, int socket) => Control(epoll, operation: 2, socket, 0, 0);

    /// <summary>Room for so many events of <see cref="Wait"/>.</summary>
    public static byte[] EventBuffer(int count) => new byte[count * EventBytes];

    /// <returns>The number of events in the buffer.</returns>
    public static int Wait(int epoll, byte[] events, int milliseconds)
    {
        int count = EpollWait(epoll, ref events[0], events.Length / EventBytes, milliseconds);
        if (count >= 0) return count;
        return LastError == Interrupted ? 0 : Check(count, "epoll_wait");
    }

    /// <summary>The id that the event's socket was watched with.</summary>
    public static int EventId(byte[] events, int index) =>
        BinaryPrimitives.ReadInt32LittleEndian(events.AsSpan((index * EventBytes) + EventBytes - 8));

    private static void Control(int epoll, int operation, int socket, uint events, int id)
    {
        Span<byte> item = stackalloc byte[16];
        item.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(item, events);
        BinaryPrimitives.WriteInt32LittleEndian(item[(EventBytes - 8)..], id);
        Check(EpollControl(epoll, operation, socket, ref item[0]), "epoll_ctl");
    }

    private static void SetOption(int socket, int level, int option, int value) =>
        Check(SetSocketOption(socket, level, option, ref value, sizeof(int)), "setsockopt");

    private static void Write(Span<byte> name, IPAddress address, int port)
    {
        name.Clear();
        BinaryPrimitives.WriteInt16LittleEndian(name, Ipv4);
        BinaryPrimitives.WriteUInt16BigEndian(name[2..], (ushort)port);
        address.TryWriteBytes(name[4..], out _);
    }

    private static int Check(int result, string call) => result >= 0 ? result : throw new Win32Exception(LastError, $"{call}: {ErrorText(LastError)}");

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int socket, ref byte name, int length);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(int socket, ref byte name, int length);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int socket, ref byte buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int socket, ref byte buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetSocketOption(int socket, int level, int option, ref int value, int length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetSocketOption(int socket, int level, int option, ref int value, ref int length);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int EpollControl(int epoll, int operation, int file, ref byte item);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int EpollWait(int epoll, ref byte events, int count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetResourceLimit(int resource, ref ulong limits);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int GetTime(int clock, ref long time);

    [LibraryImport("libc", EntryPoint = "nanosleep", SetLastError = true)]
    private static partial int NanoSleep(ref long time, nint remaining);
}
