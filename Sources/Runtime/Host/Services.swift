import Engine
import History
import Logging

/// Everything a partition needs of the world around it.
struct Services: Sendable {
    let runs: any RunStore
    let encoder: any EventEncoder
    let clock: any RuntimeClock
    let ids: any IDSource
    let limits: Limits
    let feed: (any FeedSink)?
    let queues: TaskQueues
    /// Readers that wait for new events of a run.
    let readers: ParkingLot<Void>
    let route: MessageRoute
    /// Callers that wait for the answer to a query.
    let answers: ParkingLot<QueryOutcome>
    /// Callers that wait for an update.
    let updates: ParkingLot<UpdateNews>
    /// Who waits for workflows to close.
    let closes = CloseWatch()
    /// For the cron schedules that name one.
    let zones = ZoneFiles()
    let logger: Logger
    let configuration: HostConfiguration
    /// Rung when a lane was lost or is in doubt, so that the leases are looked at now.
    let leaseAlarm: Alarm
}

extension Services {
    /// The zones that `run` needs to decide about `command`.
    func cronZones(of run: Run, for command: RunCommand) -> CronZones {
        let names = run.cronZones(for: command)
        return names.isEmpty ? .none : CronZones(names) { zones.zone(named: $0) }
    }
}
