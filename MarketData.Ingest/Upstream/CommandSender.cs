namespace MarketData.Ingest.Upstream;

/// <summary>
/// Sends commands on a connection, one at a time, and waits for the answer to each. The receiving loop hands answers over; one caller
/// sends at a time.
/// </summary>
public sealed class CommandSender(ExchangeConnection connection, TimeProvider time)
{
    private volatile PendingCommand? _pending;
    private long _lastId;

    /// <summary>Sends a command. Null when it was accepted, else why the exchange refused it.</summary>
    /// <param name="name">The <c>cmd</c>.</param>
    /// <param name="parameters">The <c>params</c>.</param>
    /// <param name="data">What answers the command in the place of an acknowledgement; null when an acknowledgement does.</param>
    /// <param name="within">How long to wait.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    /// <exception cref="IOException">The connection was cut.</exception>
    public async Task<string?> AskAsync(string name, object parameters, Task? data, TimeSpan within, CancellationToken cancellationToken)
    {
        var command = new PendingCommand(++_lastId);
        _pending = command;
        using var timeout = new CancellationTokenSource(within, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await connection.SendAsync(new { id = command.Id, cmd = name, @params = parameters }, either.Token);
            if (data == null) return await command.Answer.Task.WaitAsync(either.Token);
            var first = await Task.WhenAny(data, command.Answer.Task).WaitAsync(either.Token);
            return first == data ? null : await command.Answer.Task ?? "an answer without data";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The exchange did not answer '{name}' within {within.TotalSeconds:0.#} s.");
        }
        finally
        {
            _pending = null;
        }
    }

    /// <summary>Hands an answer over; false when no command waits for it.</summary>
    /// <param name="id">The command's id.</param>
    /// <param name="refusal">Null when the command was accepted.</param>
    public bool TryAnswer(long id, string? refusal) => _pending is { } command && command.Id == id && command.Answer.TrySetResult(refusal);

    private sealed record PendingCommand(long Id)
    {
        public TaskCompletionSource<string?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
