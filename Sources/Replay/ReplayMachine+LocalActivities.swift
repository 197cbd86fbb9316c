public import History

/// Names a local activity within its run.
public struct LocalActivityName: Hashable, Sendable {
    public let number: Int
    public let activityID: ActivityID
    public let activityType: String
}

extension ReplayMachine {
    /// Asks for a local activity. Nothing is sent for it: its end is recorded as a marker.
    ///
    /// - Parameter id: Empty becomes the next number of the run, which local and other activities share.
    public mutating func startLocalActivity(_ type: String, id: ActivityID = "") -> (FutureID, LocalActivityName) {
        let number = nextActivityNumber()
        let future = nextFuture()
        let name = LocalActivityName(
            number: number, activityID: id.isEmpty ? ActivityID("\(number)") : id, activityType: type)
        localActivities[number] = future
        return (future, name)
    }

    /// The local activity with this number, if the code waits for it.
    public func openLocalActivity(numbered number: Int) -> FutureID? { localActivities[number] }

    /// A local activity ended: asks for the marker that records it. One that has ended before is left alone.
    /// - Returns: What the waiter learns.
    public mutating func endLocalActivity(_ mark: LocalActivityMark, marker: RecordMarker) -> Resolution? {
        guard localActivities.removeValue(forKey: mark.number) != nil else { return nil }
        recordMarker(marker, meaning: .localActivity(mark))
        return .localActivity(mark)
    }
}

extension ReplayMachine {
    /// What a future stands for, in words for people.
    public func describe(_ future: FutureID) -> String {
        if let activity = activities[future] {
            return "activity \(activity.command.activityID) (\(activity.command.activityType))"
        }
        if let timer = timers[future] { return "timer \(timer.command.timerID)" }
        for number in localActivities.keys.sorted() where localActivities[number] == future {
            return "local activity \(number)"
        }
        return "future \(future)"
    }
}
