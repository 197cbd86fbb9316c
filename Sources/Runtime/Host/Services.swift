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
    /// Takes what cannot be processed; nil: it is logged only.
    let deadLetters: (any DeadLetterSink)?
    /// Rung when a lane was lost or is in doubt, so that the leases are looked at now.
    let leaseAlarm: Alarm
}

extension Services {
    /// Parks a run whose stored state cannot be read. Every try to load it comes here; it is one letter.
    func parkUnreadable(_ key: RunKey, _ why: any Error) {
        logger.error("snapshot cannot be read", metadata: ["run": "\(key)", "why": "\(why)"])
        guard let deadLetters else { return }
        let letter = DeadLetter(
            source: .workflowTask, namespace: key.namespace.value, key: key.run.value, code: "unreadable",
            message: "the stored state of the run cannot be read: \(why)", reference: "aloft.runs/\(key.run)",
            workflow: key.workflow)
        Task { [logger] in
            do {
                try await deadLetters.park(letter)
            } catch {
                logger.warning("a dead letter was not kept", metadata: ["run": "\(key)", "error": "\(error)"])
            }
        }
    }

    /// The zones that `run` needs to decide about `command`.
    func cronZones(of run: Run, for command: RunCommand) -> CronZones {
        let names = run.cronZones(for: command)
        return names.isEmpty ? .none : CronZones(names) { zones.zone(named: $0) }
    }
}
