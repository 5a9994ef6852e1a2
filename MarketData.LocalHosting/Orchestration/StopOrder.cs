using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>In which order resources stop.</summary>
internal static class StopOrder
{
    /// <summary>Stages: the resources of each are waited for only by those of earlier ones.</summary>
    /// <exception cref="DistributedApplicationException">Resources wait for each other.</exception>
    public static IReadOnlyList<IReadOnlyList<IResource>> Of(IEnumerable<IResource> resources)
    {
        var remaining = resources.ToList();
        var stages = new List<IReadOnlyList<IResource>>();
        while (remaining.Count > 0)
        {
            var awaited = remaining.SelectMany(r => r.Annotations.OfType<WaitAnnotation>()).Select(w => w.Resource).ToHashSet();
            var stage = remaining.Where(r => !awaited.Contains(r)).ToList();
            if (stage.Count == 0)
                throw new DistributedApplicationException($"Resources wait for each other and none could start: {string.Join(", ", remaining.Select(r => r.Name))}.");
            stages.Add(stage);
            remaining.RemoveAll(stage.Contains);
        }
        return stages;
    }
}
