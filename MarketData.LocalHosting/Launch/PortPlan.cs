using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Every port of the topology, decided before the first process starts and held until its process does.</summary>
internal sealed class PortPlan : IDisposable
{
    private readonly Dictionary<(string Resource, int Replica, string Endpoint), int> _targetPorts = [];
    private readonly Dictionary<int, PortReservation> _reservations = [];

    /// <summary>Ports for clients that need a proxy before the processes, with the ports of the processes.</summary>
    public List<(IResource Resource, int Port, IReadOnlyList<int> TargetPorts)> Proxies { get; } = [];

    /// <exception cref="DistributedApplicationException">A port that was asked for is taken.</exception>
    public static PortPlan Create(IEnumerable<IResource> resources, bool randomize)
    {
        var plan = new PortPlan();
        try
        {
            foreach (var resource in resources)
            {
                foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
                    plan.Allocate(resource, endpoint, randomize);
            }
            return plan;
        }
        catch (DistributedApplicationException)
        {
            plan.Dispose();
            throw;
        }
    }

    public int TargetPort(IResource resource, int replica, string endpointName) => _targetPorts[(resource.Name, replica, endpointName)];

    /// <summary>Lets go of the ports of one process, which is about to listen on them.</summary>
    public void Release(IResource resource, int replica)
    {
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
            ReleasePort(TargetPort(resource, replica, endpoint.Name));
    }

    public void ReleasePort(int port)
    {
        if (_reservations.Remove(port, out var reservation))
            reservation.Dispose();
    }

    public void Dispose()
    {
        foreach (var reservation in _reservations.Values)
            reservation.Dispose();
        _reservations.Clear();
    }

    private void Allocate(IResource resource, EndpointAnnotation endpoint, bool randomize)
    {
        var replicas = resource.GetReplicaCount();
        if (replicas > 1 && (endpoint.TargetPort is not null || !endpoint.IsProxied))
            throw new DistributedApplicationException($"Resource '{resource.Name}' has {replicas} replicas, so its endpoint '{endpoint.Name}' can have neither a fixed target port nor isProxied: false.");
        var port = randomize ? TakeFree()
            : endpoint.Port is { } asked ? TakeFixed(resource, endpoint, asked)
            : endpoint.ConventionalPort is { } conventional && TryTake(conventional) ? conventional
            : endpoint is { IsProxied: false, TargetPort: { } target } ? TakeFixed(resource, endpoint, target)
            : TakeFree();
        endpoint.AllocatedPort = port;
        if (replicas == 1 && (endpoint.TargetPort is null || endpoint.TargetPort == port))
        {
            _targetPorts[(resource.Name, 0, endpoint.Name)] = port;
            return;
        }
        var targets = Enumerable.Range(0, replicas).Select(_ => endpoint.TargetPort is { } fixedTarget ? TakeFixed(resource, endpoint, fixedTarget) : TakeFree()).ToArray();
        for (var replica = 0; replica < replicas; replica++)
            _targetPorts[(resource.Name, replica, endpoint.Name)] = targets[replica];
        Proxies.Add((resource, port, targets));
    }

    private int TakeFree()
    {
        var reservation = PortReservation.TakeFree();
        _reservations.Add(reservation.Port, reservation);
        return reservation.Port;
    }

    private bool TryTake(int port)
    {
        if (PortReservation.TryTake(port) is not { } reservation)
            return false;
        _reservations.Add(port, reservation);
        return true;
    }

    private int TakeFixed(IResource resource, EndpointAnnotation endpoint, int port) =>
        TryTake(port) ? port : throw new DistributedApplicationException($"Port {port}, which resource '{resource.Name}' needs for its endpoint '{endpoint.Name}', is in use; stop the program that listens on it.");
}
