namespace MarketData.MockKalshi.Replay;

/// <summary>Splits a stream into lines without making strings. A line feed ends a line, with or without a carriage return before it.</summary>
internal sealed class LineReader(Stream stream)
{
    private byte[] _buffer = new byte[256 * 1024];
    private int _start, _end;
    private bool _ended;

    /// <summary>False at the end; what follows the last line feed is a line unless it is empty. Valid until the next call.</summary>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int feed = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                line = WithoutReturn(_buffer.AsSpan(_start, searched + feed));
                _start += searched + feed + 1;
                return true;
            }

            if (_ended)
            {
                line = WithoutReturn(_buffer.AsSpan(_start, _end - _start));
                _start = _end;
                return !line.IsEmpty;
            }

            searched = _end - _start;
            Fill();
        }
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        else if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _ended = read == 0;
    }

    private static ReadOnlySpan<byte> WithoutReturn(ReadOnlySpan<byte> line) => line is [.., (byte)'\r'] ? line[..^1] : line;
}
