import Engine
import History

extension Partition {
    /// The slots of the lanes that it owns, one range a lane.
    var ownedSlots: [ClosedRange<Int16>] {
        lanes.keys.sorted().map { Slots.slots(ofLane: $0, laneCount: configuration.laneCount) }
    }

    /// These runs are not stored any more.
    func dropForgotten(_ keys: [RunKey]) {
        for key in keys {
            guard let hot = runs[key], hot.isSettled else { continue }
            forget(hot)
        }
    }

    func updateOptions(_ target: RunTarget, _ command: UpdateRunOptions) async throws -> RunOptions {
        let (hot, transition) = try await perform(target, .updateOptions(command), by: command.identity)
        if case .runOptions(let options) = transition.reply { return options }
        return hot.run.options
    }

    func operate(_ target: RunTarget, _ command: OperateActivities) async throws -> ActivityTaskOptions? {
        let (_, transition) = try await perform(target, .operateActivities(command), by: command.identity)
        if case .rejected(let rejection) = transition.reply { throw rejection }
        if case .activityOptions(let options) = transition.reply { return options }
        return nil
    }
}
