using System.Reflection;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>A project as the build describes it to the AppHost.</summary>
public interface IProjectMetadata
{
    /// <summary>Full path of the project file.</summary>
    string ProjectPath { get; }

    /// <summary>Whether the project is built already when the AppHost runs.</summary>
    bool SuppressBuild => false;
}

/// <summary>Projects as resources.</summary>
public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a project that the AppHost references.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
    {
        var metadata = new TProject();
        var targetPath = TargetPaths.Find(typeof(TProject).Assembly, typeof(TProject).Name);
        return builder.AddResource(new ProjectResource(name)).WithAnnotation(new ProjectAnnotation(metadata.ProjectPath, targetPath));
    }

    /// <summary>Adds a project that the AppHost references, without its launch profile.</summary>
    /// <exception cref="NotSupportedException"><paramref name="launchProfileName"/> is not null: launch profiles are read only by Aspire itself.</exception>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name, string? launchProfileName)
        where TProject : IProjectMetadata, new()
    {
        if (launchProfileName is not null)
            throw new NotSupportedException($"Project '{name}': local hosting reads no launch profile ('{launchProfileName}'); pass null and declare endpoints with WithHttpEndpoint.");
        return builder.AddProject<TProject>(name);
    }

    /// <summary>Runs the project in so many processes behind one port, to which connections go in turn.</summary>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(replicas);
        return builder.WithAnnotation(new ReplicaAnnotation(replicas));
    }
}

/// <summary>Where the build put the programs, as MarketData.LocalHosting.targets wrote it into an assembly's metadata.</summary>
internal static class TargetPaths
{
    public static string? Find(Assembly assembly, string key) =>
        assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(m => m.Key == $"LocalHosting.TargetPath:{key}")?.Value;
}
