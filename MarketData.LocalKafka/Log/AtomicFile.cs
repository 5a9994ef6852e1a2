namespace MarketData.LocalKafka.Log;

/// <summary>Small state files that are either there whole, in the old or the new form, or not at all.</summary>
internal static class AtomicFile
{
    private const string Suffix = ".new";

    /// <summary>Writes a file beside <paramref name="path"/>, flushes it to disk, and renames it over.</summary>
    /// <exception cref="IOException">The disk is full or the directory cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        using (var file = File.OpenHandle(path + Suffix, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, content, 0);
            RandomAccess.FlushToDisk(file);
        }
        File.Move(path + Suffix, path, overwrite: true);
    }
}
