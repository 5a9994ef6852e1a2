namespace Aspire.Hosting;

/// <summary>The topology cannot be started, or a part of it failed. The message is for the person who runs it.</summary>
public class DistributedApplicationException : Exception
{
    /// <summary>Without a message.</summary>
    public DistributedApplicationException() { }

    /// <summary>With what went wrong and what would be right.</summary>
    public DistributedApplicationException(string message) : base(message) { }

    /// <summary>With what went wrong and its cause.</summary>
    public DistributedApplicationException(string message, Exception inner) : base(message, inner) { }
}
