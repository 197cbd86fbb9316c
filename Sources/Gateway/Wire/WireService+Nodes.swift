public import Engine
import History

/// What the nodes of one database say to each other.
public struct NodeService: Sendable {
    /// Only who can read the database knows it.
    public var key: String
    /// Takes a message for a run of this node.
    public var deliver: @Sendable (RunMessage) async throws -> MessageOutcome

    public init(key: String, deliver: @escaping @Sendable (RunMessage) async throws -> MessageOutcome) {
        self.key = key
        self.deliver = deliver
    }

    /// The metadata entry that carries the key.
    public static let keyName = "aloft-node-key"
}

extension WireMethod {
    /// Messages between runs on their way to another node.
    public static let deliverMessage = WireMethod(service: "aloft.node.v1.NodeService", name: "DeliverMessage")
}

extension WireService {
    func deliverMessage(_ call: WireCall) async throws -> [UInt8] {
        guard let nodes = options.nodes, call.metadata(named: NodeService.keyName) == nodes.key else {
            throw Rejection(.permissionDenied(reason: ""), "only nodes of this database deliver messages")
        }
        let message: RunMessage
        do throws(Corruption) {
            message = try RunMessage(bytes: call.request)
        } catch {
            throw Rejection.invalid("the message cannot be read: \(error.reason)")
        }
        return try await nodes.deliver(message).bytes
    }
}
