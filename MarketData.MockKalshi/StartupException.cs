namespace MarketData.MockKalshi;

/// <summary>
/// The exchange cannot start: an argument, a setting or the recording is wrong. The message is one line that names it and what would be
/// right.
/// </summary>
public sealed class StartupException(string message, Exception? inner = null) : InvalidOperationException(message, inner);
