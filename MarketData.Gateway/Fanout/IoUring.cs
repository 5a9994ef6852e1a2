using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MarketData.Gateway.Fanout;

/// <summary>
/// Linux' io_uring, as far as sending without waiting needs it: a list of sends is handed over with one system call, and all of them have
/// been tried when it returns. For one thread at a time. Needs Linux 5.18.
/// </summary>
/// <remarks>See io_uring_setup(2) and io_uring_enter(2).</remarks>
internal sealed unsafe partial class IoUring : IDisposable
{
    // The same on all architectures.
    private const nint SetupCall = 425, EnterCall = 426;
    private const uint ContinueAfterErrors = 1 << 7;
    private const byte SendOperation = 26;
    private const nint WaitForCompletions = 1, SubmissionsOffset = 0x10000000, MapFailed = -1;
    private const int ReadWrite = 3, SharedPopulated = 0x8001, Interrupted = 4, BadFile = 9;

    private readonly int _ring;
    private readonly byte* _rings;
    private readonly Submission* _submissions;
    private readonly nint _ringsLength, _submissionsLength;
    private readonly uint* _submissionHead, _submissionTail, _completionHead, _completionTail;
    private readonly Completion* _completions;
    private readonly uint _submissionMask, _completionMask;
    private uint _pushed;
    private bool _isDisposed;

    private IoUring(int ring, in Parameters parameters)
    {
        _ring = ring;
        _ringsLength = Math.Max(
            (nint)parameters.Submissions.Array + ((nint)parameters.SubmissionCount * sizeof(uint)),
            (nint)parameters.Completions.Entries + ((nint)parameters.CompletionCount * sizeof(Completion)));
        _submissionsLength = (nint)parameters.SubmissionCount * sizeof(Submission);
        _rings = Map(_ringsLength, 0);
        try
        {
            _submissions = (Submission*)Map(_submissionsLength, SubmissionsOffset);
        }
        catch
        {
            _ = Unmap(_rings, _ringsLength);
            throw;
        }

        _submissionHead = At(parameters.Submissions.Head);
        _submissionTail = At(parameters.Submissions.Tail);
        _completionHead = At(parameters.Completions.Head);
        _completionTail = At(parameters.Completions.Tail);
        _completions = (Completion*)At(parameters.Completions.Entries);
        (_submissionMask, _completionMask) = (*At(parameters.Submissions.Mask), *At(parameters.Completions.Mask));
        // Each place of the ring stands for the submission of the same number, always.
        for (uint i = 0; i < parameters.SubmissionCount; i++) At(parameters.Submissions.Array)[i] = i;
    }

    /// <summary>Asks the kernel for a ring.</summary>
    /// <param name="capacity">Sends in one go, a power of two.</param>
    /// <exception cref="Win32Exception">The kernel does not have io_uring, or does not allow it here.</exception>
    public static IoUring Open(int capacity)
    {
        var parameters = new Parameters { Flags = ContinueAfterErrors };
        int ring = (int)Setup(SetupCall, capacity, ref parameters);
        if (ring < 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
        IoUring opened;
        try
        {
            opened = new IoUring(ring, parameters);
        }
        catch
        {
            _ = Close(ring);
            throw;
        }

        // A sandbox may let a ring be made and refuse its use, or sends.
        Span<int> result = [0];
        opened.Push(-1, default, 0, 0);
        opened.Submit(result);
        if (result[0] == -BadFile) return opened;
        int error = result[0] < 0 ? -result[0] : Marshal.GetLastPInvokeError();
        opened.Dispose();
        throw new Win32Exception(error);
    }

    /// <summary>Adds a send, which must not be more than the capacity.</summary>
    /// <param name="socket">The file descriptor, open until <see cref="Submit"/> has returned.</param>
    /// <param name="bytes">What to send, in memory that stays where it is until then.</param>
    /// <param name="flags">Of send(2). Those must be among them by which it does not wait.</param>
    /// <param name="number">By which <see cref="Submit"/> tells the result.</param>
    public void Push(int socket, ReadOnlySpan<byte> bytes, int flags, int number)
    {
        _submissions[(*_submissionTail + _pushed++) & _submissionMask] = new Submission
        {
            Operation = SendOperation,
            File = socket,
            Address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)),
            Length = bytes.Length,
            Flags = flags,
            Tag = number,
        };
    }

    /// <summary>Tries all sends that were added.</summary>
    /// <param name="results">For each number the bytes that were taken, or less than 0 for an error. What the kernel did not come to stays as it is.</param>
    public void Submit(Span<int> results)
    {
        if (_pushed == 0) return;
        Volatile.Write(ref *_submissionTail, *_submissionTail + _pushed);
        nint begun = Enter((nint)_pushed, (nint)_pushed);
        _pushed = 0;
        // Short of memory it leaves some in the ring: they are taken back.
        Volatile.Write(ref *_submissionTail, Volatile.Read(ref *_submissionHead));
        // None waits, so all that were begun are there already, and this asks again only in theory.
        for (nint ended = Reap(results); ended < begun; ended += Reap(results))
        {
            if (Enter(0, begun - ended) < 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _ = Unmap(_rings, _ringsLength);
        _ = Unmap(_submissions, _submissionsLength);
        _ = Close(_ring);
    }

    private nint Enter(nint submissions, nint completions)
    {
        while (true)
        {
            nint begun = Enter(EnterCall, _ring, submissions, completions, WaitForCompletions, 0, 0);
            if (begun >= 0 || Marshal.GetLastPInvokeError() != Interrupted) return begun;
        }
    }

    private int Reap(Span<int> results)
    {
        uint first = *_completionHead, end = Volatile.Read(ref *_completionTail);
        for (uint head = first; head != end; head++)
        {
            ref var completion = ref _completions[head & _completionMask];
            results[(int)completion.Tag] = completion.Result;
        }

        Volatile.Write(ref *_completionHead, end);
        return (int)(end - first);
    }

    private uint* At(uint offset) => (uint*)(_rings + offset);

    private byte* Map(nint length, nint offset)
    {
        var memory = Map(null, length, ReadWrite, SharedPopulated, _ring, offset);
        return (nint)memory != MapFailed ? memory : throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Setup(nint call, nint entries, ref Parameters parameters);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Enter(nint call, nint ring, nint submit, nint wait, nint flags, nint signals, nint signalsSize);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial byte* Map(void* address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);

    // struct io_uring_params.
    private struct Parameters
    {
        public uint SubmissionCount, CompletionCount, Flags, PollerProcessor, PollerIdle, Features, Workers;
        public uint Reserved1, Reserved2, Reserved3;
        public SubmissionOffsets Submissions;
        public CompletionOffsets Completions;
    }

    private struct SubmissionOffsets
    {
        public uint Head, Tail, Mask, Count, Flags, Dropped, Array, Reserved;
        public ulong UserAddress;
    }

    private struct CompletionOffsets
    {
        public uint Head, Tail, Mask, Count, Overflow, Entries, Flags, Reserved;
        public ulong UserAddress;
    }

    // struct io_uring_sqe.
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct Submission
    {
        [FieldOffset(0)]
        public byte Operation;
        [FieldOffset(4)]
        public int File;
        [FieldOffset(16)]
        public long Address;
        [FieldOffset(24)]
        public int Length;
        [FieldOffset(28)]
        public int Flags;
        [FieldOffset(32)]
        public long Tag;
    }

    // struct io_uring_cqe.
    private struct Completion
    {
        public long Tag;
        public int Result;
        public uint Flags;
    }
}
