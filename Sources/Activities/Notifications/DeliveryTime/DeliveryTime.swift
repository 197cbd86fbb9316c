import Engine

/// When a message may arrive, by the time zones of this machine. Needs no clock: the same questions have the same answers.
public struct DeliveryTime: DeliverySchedule {
    private let zones: DeliveryZones
    private let standardZone: String

    /// - Parameter standardZone: for recipients whose zone is missing or unknown to this machine, after the tenant's.
    public init(zones: DeliveryZones = DeliveryZones(), standardZone: String = "UTC") {
        self.zones = zones
        self.standardZone = standardZone
    }

    public func nextOpening(
        notBefore earliest: Double, window: DeliveryWindow?, quietHours: QuietHours?, timeZone: String
    ) -> Double? {
        let zone = self.zones.zone(firstOf: [timeZone, self.standardZone])
        var plans: [(plan: WeekPlan, zone: ZoneRules)] = []
        if let window {
            plans.append((WeekPlan(window: window), self.zones.zone(firstOf: [window.timeZone ?? timeZone, timeZone])))
        }
        if let quietHours { plans.append((WeekPlan(quietHours: quietHours), zone)) }
        let whole = earliest.rounded(.down)
        guard abs(whole) < 1e12, let found = NextOpening.after(Int64(whole), plans) else { return nil }
        return found == Int64(whole) ? earliest : Double(found)
    }
}
