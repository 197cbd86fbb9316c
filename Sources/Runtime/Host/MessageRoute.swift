public import Engine
import History
import Synchronization

/// Brings a message to the node that decides for its receiver, when that is another one.
public protocol MessageCarrier: Sendable {
    /// Returns when the receiver has stored what the message means.
    func deliver(_ message: RunMessage) async throws -> MessageOutcome
}

/// Brings messages between runs to the partition that decides for the receiver.
///
/// Exists apart from the host because the services are made before the partitions.
final class MessageRoute: Sendable {
    private let partitions = Mutex<[Partition]>([])
    private let laneCount: Int
    private let peers: (any MessageCarrier)?

    init(laneCount: Int, peers: (any MessageCarrier)?) {
        self.laneCount = laneCount
        self.peers = peers
    }

    func connect(_ partitions: [Partition]) { self.partitions.withLock { $0 = partitions } }

    /// - Throws: what tells that the receiver may not have got it; the message must be sent again.
    func deliver(_ message: RunMessage) async throws -> MessageOutcome {
        if message.hasNoNamespace { return message.outcome(withoutReceiver: .namespaceNotFound) }
        if message.isToItself { return message.outcome(withoutReceiver: .notFound) }
        do {
            return try await deliverHere(message)
        } catch let rejection as Rejection {
            guard rejection == .laneElsewhere, let peers else { throw rejection }
            return try await peers.deliver(message)
        }
    }

    /// Delivers to a receiver of this node.
    func deliverHere(_ message: RunMessage) async throws -> MessageOutcome {
        let all = partitions.withLock { $0 }
        guard !all.isEmpty else { throw Rejection.shuttingDown }
        let slot = Slots.slot(namespace: message.target.namespace, workflow: message.target.workflow)
        let lane = Int(Slots.lane(of: slot, laneCount: laneCount))
        return try await all[lane / (laneCount / all.count)].receive(message)
    }
}

extension RunMessage {
    var hasNoNamespace: Bool { target.namespace.isEmpty }

    /// A run does not signal or cancel itself this way.
    var isToItself: Bool {
        guard target.namespace == id.sender.namespace, target.workflow == id.sender.workflow, target.firstRun == nil,
            target.run == nil || target.run == id.sender.run
        else { return false }
        switch body {
        case .signal, .requestCancel: return true
        case .startChild, .releaseChild, .closeChild, .childClosed: return false
        }
    }

    /// What the sender hears when there is nobody to receive it.
    func outcome(withoutReceiver cause: ExternalFailedCause) -> MessageOutcome {
        switch body {
        case .startChild: .childRefused(cause == .namespaceNotFound ? .namespaceNotFound : .workflowAlreadyExists)
        case .signal, .requestCancel: .failed(cause)
        case .releaseChild, .closeChild, .childClosed: .done
        }
    }
}
