import Engine

/// The first moment at which all of several weekly plans are open, each by the clocks of its zone.
///
/// Clocks that are set forward skip minutes: an opening among them becomes the first minute after, if that is open. Clocks set
/// back show an hour twice: the first time counts.
enum NextOpening {
    /// Further ahead than this is never.
    static let secondsMax: Int64 = 366 * 86_400

    /// - Parameter second: not before this, in seconds since 1970.
    /// - Returns: seconds since 1970; nil when there is none within a year.
    static func after(_ second: Int64, _ plans: [(plan: WeekPlan, zone: ZoneRules)]) -> Int64? {
        guard !plans.contains(where: \.plan.isNeverOpen) else { return nil }
        var moment = second
        while moment <= second + self.secondsMax {
            var later = moment
            for (plan, zone) in plans {
                guard let opening = self.opening(later, plan, zone) else { return nil }
                later = opening
            }
            if later == moment { return moment }
            moment = later
        }
        return nil
    }

    private static func opening(_ second: Int64, _ plan: WeekPlan, _ zone: ZoneRules) -> Int64? {
        var moment = second
        while moment <= second + self.secondsMax {
            guard let left = plan.secondsToOpening(fromLocal: moment + zone.offset(at: moment)) else { return nil }
            guard let change = zone.nextChange(after: moment), change <= moment + left else { return moment + left }
            // The clocks are set before that: look again from there.
            moment = change
        }
        return nil
    }
}
