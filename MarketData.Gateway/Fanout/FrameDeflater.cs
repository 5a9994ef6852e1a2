using System.IO.Compression;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.Gateway.Fanout;

/// <summary>Encodes text messages as compressed frames without context takeover: RFC 7692, section 7.2.1.</summary>
internal static class FrameDeflater
{
    // What Flush ends with, 00 00 ff ff, is left out on the wire.
    private const int TailLength = 4;

    public static ReadOnlySpan<byte> Encode(ReadOnlySpan<byte> message)
    {
        // The header's length is known once the payload's is: room for the longest lies before it.
        using var frame = new MemoryStream();
        frame.SetLength(WebSocketFrame.MaxHeaderLength);
        frame.Position = WebSocketFrame.MaxHeaderLength;
        int payload;
        using (var deflate = new DeflateStream(frame, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write(message);
            deflate.Flush();
            payload = (int)frame.Length - WebSocketFrame.MaxHeaderLength - TailLength;
        }

        Span<byte> header = stackalloc byte[WebSocketFrame.MaxHeaderLength];
        int length = WebSocketFrame.WriteHeader(header, WebSocketOpcode.Text, payload, isCompressed: true);
        int start = WebSocketFrame.MaxHeaderLength - length;
        header[..length].CopyTo(frame.GetBuffer().AsSpan(start));
        return frame.GetBuffer().AsSpan(start, length + payload);
    }
}
