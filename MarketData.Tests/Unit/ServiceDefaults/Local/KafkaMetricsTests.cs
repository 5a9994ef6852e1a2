using System.Diagnostics.Metrics;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace MarketData.Tests.Unit.ServiceDefaults.Local;

public sealed class KafkaMetricsTests
{
    [Fact]
    public async Task Sent_messages_are_counted_under_the_name_of_the_Kafka_instrumentation()
    {
        var builder = ServiceHost.CreateBuilder(new() { ["ConnectionStrings:kafka"] = "unused" });
        builder.AddKafkaProducer<Null, string>("kafka", configureSettings: settings =>
        {
            settings.DisableHealthChecks = true;
            settings.Config.StatisticsIntervalMs = 20;
            // librdkafka's mock cluster in place of the bootstrap servers.
            settings.Config.Set("test.mock.num.brokers", "1");
        });
        await using var app = builder.Build();
        var factory = app.Services.GetRequiredService<IMeterFactory>();
        var sent = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                // Other tests' applications have meters of the same name.
                if (instrument.Name == "messaging.publish.messages" && instrument.Meter.Scope == factory) listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            Assert.Equal("OpenTelemetry.Instrumentation.ConfluentKafka", instrument.Meter.Name);
            sent = value;
        });
        listener.Start();

        var producer = app.Services.GetRequiredService<IProducer<Null, string>>();
        for (var i = 0; i < 5; i++)
        {
            await producer.ProduceAsync("market-data-all", new Message<Null, string> { Value = "frame" }, TestContext.Current.CancellationToken);
        }

        var start = TimeProvider.System.GetTimestamp();
        while (sent < 5)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMinutes(1), $"{sent} messages counted");
            await Task.Delay(10, TestContext.Current.CancellationToken);
            listener.RecordObservableInstruments();
        }

        Assert.Equal(5, sent);
    }
}
