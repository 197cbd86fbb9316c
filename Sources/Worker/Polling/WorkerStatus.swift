import Foundation
import History
import Synchronization
import TemporalCodec

/// Counts what a worker does, for its heartbeats.
final class WorkerMeter: Sendable {
    struct Count: Sendable {
        var used = 0
        var processed = 0
        var failed = 0
        var reportedProcessed = 0
        var reportedFailed = 0
    }
    private let counts = Mutex<[SlotRequest.Kind: Count]>([:])

    func began(_ kind: SlotRequest.Kind) { counts.withLock { $0[kind, default: Count()].used += 1 } }

    func ended(_ kind: SlotRequest.Kind, isFailed: Bool = false) {
        counts.withLock {
            $0[kind, default: Count()].used -= 1
            $0[kind, default: Count()].processed += 1
            if isFailed { $0[kind, default: Count()].failed += 1 }
        }
    }

    /// The counts now; the next call tells what changed since.
    func take(_ kind: SlotRequest.Kind) -> Count {
        counts.withLock { counts in
            let count = counts[kind] ?? Count()
            counts[kind, default: Count()].reportedProcessed = count.processed
            counts[kind, default: Count()].reportedFailed = count.failed
            return count
        }
    }
}

/// What a worker tells the server about itself: an encoded `temporal.api.worker.v1.WorkerHeartbeat`.
struct WorkerStatus: Sendable {
    enum Phase: Int64 {
        case running = 1
        case shuttingDown = 2
    }

    let instanceKey: String
    let identity: String
    let taskQueue: String
    let deployment: WorkerDeployment?
    let started: Date
    let meter: WorkerMeter

    func wire(
        _ phase: Phase, sincePrevious: Duration?, slots: [(SlotRequest.Kind, any SlotSupplier)], cachedRuns: Int,
        polls: (workflow: Int, sticky: Int, activity: Int)
    ) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.text(1, instanceKey)
        writer.text(2, identity)
        writer.message(3) {
            $0.text(1, ProcessInfo.processInfo.hostName)
            $0.text(2, "\(ProcessInfo.processInfo.processIdentifier)")
        }
        writer.text(4, taskQueue)
        if let deployment {
            writer.message(5) {
                $0.text(1, deployment.buildID)
                $0.text(2, deployment.name)
            }
        }
        writer.text(6, WorkflowTaskProcessor.sdkName)
        writer.text(7, WorkflowTaskProcessor.sdkVersion)
        writer.integer(8, phase.rawValue)
        writer.timestamp(9, Self.time(started))
        writer.timestamp(10, Self.time(Date()))
        if let sincePrevious { writer.span(11, TimeSpan(sincePrevious)) }
        for (kind, supplier) in slots { Self.write(kind, supplier, meter.take(kind), to: &writer) }
        for (field, count) in [(16, polls.workflow), (17, polls.sticky), (18, polls.activity)] where count > 0 {
            writer.message(field) { $0.integer(1, Int64(count)) }
        }
        writer.integer(22, Int64(cachedRuns))
        return writer.bytes
    }

    private static func write(
        _ kind: SlotRequest.Kind, _ supplier: any SlotSupplier, _ count: WorkerMeter.Count,
        to writer: inout ProtobufWriter
    ) {
        let field =
            switch kind {
            case .workflow: 12
            case .activity: 13
            case .localActivity: 15
            }
        writer.message(field) {
            $0.integer(1, Int64(supplier.available ?? 0))
            $0.integer(2, Int64(count.used))
            $0.text(3, supplier.kind)
            $0.integer(4, Int64(count.processed))
            $0.integer(5, Int64(count.failed))
            $0.integer(6, Int64(count.processed - count.reportedProcessed))
            $0.integer(7, Int64(count.failed - count.reportedFailed))
        }
    }

    private static func time(_ date: Date) -> Timestamp {
        Timestamp(nanoseconds: Int64(date.timeIntervalSince1970 * 1e9))
    }
}
