import Foundation
import Logging
import TemporalAPI

extension WorkerShell {
    /// Tells the server every minute that the worker is alive and what it does; the first time at once.
    ///
    /// Ends when a server does not know the call, at the shutdown, or when the task is cancelled.
    func sendHeartbeats() async {
        var previous: ContinuousClock.Instant?
        while !life.isShuttingDown, !Task.isCancelled {
            var request = Temporal_Api_Workflowservice_V1_RecordWorkerHeartbeatRequest()
            request.namespace = service.namespace
            request.identity = service.identity
            request.workerHeartbeat = [Data(status(.running, since: previous))]
            do {
                let _: Temporal_Api_Workflowservice_V1_RecordWorkerHeartbeatResponse = try await service.call(
                    "RecordWorkerHeartbeat", request, retry: .never)
            } catch {
                if error.code == .unimplemented || error.code == .cancelled { return }
                options.logger.debug("heartbeat of the worker was not taken", metadata: ["error": "\(error)"])
            }
            previous = .now
            do { try await clock.sleep(for: WorkerOptions.heartbeatInterval) } catch { return }
        }
    }

    /// The worker's state now, encoded.
    func status(_ phase: WorkerStatus.Phase, since previous: ContinuousClock.Instant?) -> [UInt8] {
        let status = WorkerStatus(
            instanceKey: instanceKey, identity: service.identity, taskQueue: taskQueue, deployment: options.deployment,
            started: started, meter: meter)
        let polls = balance.openPolls
        return status.wire(
            phase, sincePrevious: previous.map { $0.duration(to: .now) },
            slots: [
                (.workflow, workflowSlots), (.activity, activitySlots), (.localActivity, localActivities.slots),
            ], cachedRuns: processor?.cachedRuns ?? 0,
            polls: (polls.normal, polls.sticky, runner == nil ? 0 : max(1, options.activityPollsMax)))
    }
}
