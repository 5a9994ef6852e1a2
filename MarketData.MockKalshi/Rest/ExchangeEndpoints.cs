namespace MarketData.MockKalshi.Rest;

/// <summary>The exchange itself: it trades around the clock and has nothing to announce.</summary>
internal static class ExchangeEndpoints
{
    private static readonly string[] Days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

    public static void MapExchange(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/exchange/status", StatusAsync);
        endpoints.MapGet("/exchange/schedule", ScheduleAsync);
        endpoints.MapGet("/exchange/announcements", AnnouncementsAsync);
    }

    private static async Task StatusAsync(HttpContext context)
    {
        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WriteBoolean("exchange_active", true);
        json.WriteBoolean("trading_active", true);
        json.WriteNull("exchange_estimated_resume_time");
        json.WriteEndObject();
    }

    private static async Task ScheduleAsync(HttpContext context)
    {
        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WriteStartObject("schedule");
        json.WriteStartArray("maintenance_windows");
        json.WriteEndArray();
        json.WriteStartArray("standard_hours");
        json.WriteStartObject();
        json.WriteString("start_time", "2024-12-01T00:00:00Z");
        json.WriteString("end_time", "2200-12-01T00:00:00Z");
        foreach (string day in Days)
        {
            // From midnight to midnight, as the exchange writes a day without a break.
            json.WriteStartArray(day);
            json.WriteStartObject();
            json.WriteString("open_time", "00:00");
            json.WriteString("close_time", "00:00");
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static async Task AnnouncementsAsync(HttpContext context)
    {
        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WriteStartArray("announcements");
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
