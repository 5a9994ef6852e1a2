using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>What requests that make, grow and delete topics have in common.</summary>
internal static class TopicChanges
{
    /// <summary>How a change that has been made is answered.</summary>
    /// <param name="timeoutMs">
    /// How long the client waits for it. A change is made before the answer, but to a client that does not wait Kafka cannot say so.
    /// </param>
    public static ErrorCode DoneWithin(int timeoutMs) => timeoutMs > 0 ? ErrorCode.None : ErrorCode.RequestTimedOut;
}
