import Engine
import Gateway
import History
import Logging
import Runtime
import Store
import Worker

/// How a node is reached by the others: `HOST:PORT KEY`, as the table of nodes holds it.
struct NodeAddress: Hashable, Sendable {
    var address: String
    var key: String

    init(address: String, key: String) {
        self.address = address
        self.key = key
    }

    init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 2 else { return nil }
        self.init(address: String(parts[0]), key: String(parts[1]))
    }

    var text: String { "\(address) \(key)" }
}

/// Brings messages between runs to the nodes that own the receivers' lanes, over their gRPC ports.
actor NodeLink: MessageCarrier {
    private struct Connection {
        let transport: GRPCTransport
        let task: Task<Void, Never>
    }

    private static let deadline = Duration.seconds(10)
    private let store: PostgresStore
    private let laneCount: Int
    private let own: NodeAddress
    private let security: GRPCTransportOptions.Security
    private var connections: [NodeAddress: Connection] = [:]

    init(store: PostgresStore, laneCount: Int, own: NodeAddress, security: GRPCTransportOptions.Security) {
        self.store = store
        self.laneCount = laneCount
        self.own = own
        self.security = security
    }

    func deliver(_ message: RunMessage) async throws -> MessageOutcome {
        let slot = Slots.slot(namespace: message.target.namespace, workflow: message.target.workflow)
        let lane = Slots.lane(of: slot, laneCount: laneCount)
        guard let text = try await store.laneAddresses()[lane], let node = NodeAddress(text), node != own else {
            throw Rejection(.unavailable, "lane \(lane) has no owner that can be reached")
        }
        let method = RPCMethod(service: WireMethod.deliverMessage.service, name: WireMethod.deliverMessage.name)
        let answer = try await transport(to: node).call(
            method, request: message.bytes, metadata: [(NodeService.keyName, node.key)], deadline: Self.deadline)
        return try MessageOutcome(bytes: answer)
    }

    private func transport(to node: NodeAddress) throws -> GRPCTransport {
        if let known = connections[node] { return known.transport }
        guard var options = GRPCTransportOptions(address: node.address) else {
            throw Rejection(.unavailable, "'\(node.address)' is not HOST:PORT")
        }
        options.security = security
        let transport = try GRPCTransport(options)
        // A node that comes back has a new key: what led to the old one is closed.
        for old in connections.keys where old.address == node.address { close(old) }
        connections[node] = Connection(transport: transport, task: Task { try? await transport.run() })
        return transport
    }

    private func close(_ node: NodeAddress) {
        guard let connection = connections.removeValue(forKey: node) else { return }
        connection.transport.shutDown()
        connection.task.cancel()
    }

    func closeAll() {
        for node in Array(connections.keys) { close(node) }
    }
}
