/// A carrier: books and cancels parcels. An address it cannot serve is refused for good.
struct ShippingState: Sendable {
    private(set) var shipments: [Shipment] = []
    private var lastNumber = 0
    private var effects: [SandboxEffect] = []

    struct Shipment: Hashable, Sendable {
        enum Status: String, Hashable, Sendable { case scheduled, canceled }

        var id: String
        var paymentID: String
        var orderID: String
        var status: Status
        var created: Int

        var json: JSONValue {
            [
                "id": .string(self.id), "object": "shipment", "payment_id": .string(self.paymentID),
                "order_id": .string(self.orderID), "status": .string(self.status.rawValue),
                "created": .int(self.created),
                "tracking": .string("TRK\(self.id.dropFirst(4))"),
            ]
        }
    }

    struct Refusal: Error, Hashable, Sendable {
        var status: Int
        var code: String
        var message: String
        var executed: Bool

        var json: JSONValue { ["error": ["code": .string(self.code), "message": .string(self.message)]] }
    }

    mutating func answer(_ request: SandboxRequest, at now: Int) throws(Refusal) -> JSONValue {
        let path = Array(request.segments.dropFirst(2))
        switch (request.method, path.first, path.dropFirst().first, path.dropFirst(2).first) {
        case ("POST", "shipments", nil, nil): return try self.schedule(request, at: now)
        case ("GET", "shipments", nil, nil):
            let wanted = request.form["payment_id"]
            return [
                "object": "list",
                "data": .array(self.shipments.filter { wanted == nil || $0.paymentID == wanted }.map(\.json)),
            ]
        case ("GET", "shipments", let id?, nil):
            return self.shipments[try self.index(of: id)].json
        case ("POST", "shipments", let id?, "cancel"):
            let index = try self.index(of: id)
            if self.shipments[index].status == .scheduled {
                self.shipments[index].status = .canceled
                self.record("shipment.canceled", self.shipments[index])
            }
            return self.shipments[index].json
        default:
            throw Refusal(status: 404, code: "not_found", message: "No such resource.", executed: false)
        }
    }

    mutating func takeEffects() -> [SandboxEffect] {
        defer { self.effects = [] }
        return self.effects
    }

    private func index(of id: String) throws(Refusal) -> Int {
        guard let index = self.shipments.firstIndex(where: { $0.id == id }) else {
            throw Refusal(status: 404, code: "not_found", message: "No shipment \(id).", executed: false)
        }
        return index
    }

    private mutating func schedule(_ request: SandboxRequest, at now: Int) throws(Refusal) -> JSONValue {
        guard let document = request.document, let payment = document["payment_id"]?.string else {
            throw Refusal(status: 400, code: "invalid", message: "payment_id is missing.", executed: false)
        }
        let address = document["address"] ?? [:]
        guard ShippingState.serves(address) else {
            throw Refusal(
                status: 422, code: "address_rejected", message: "The carrier does not serve this address.",
                executed: true)
        }
        self.lastNumber += 1
        let shipment = Shipment(
            id: "shp_\(self.lastNumber)", paymentID: payment, orderID: document["order_id"]?.string ?? "",
            status: .scheduled,
            created: now)
        self.shipments.append(shipment)
        self.record("shipment.scheduled", shipment)
        return shipment.json
    }

    /// Country `XX`, postal code `00000`, or `"reject": true` are beyond our roads.
    private static func serves(_ address: JSONValue) -> Bool {
        address["reject"]?.bool != true && address["country"]?.string != "XX"
            && address["postal_code"]?.string != "00000"
    }

    private mutating func record(_ kind: String, _ shipment: Shipment) {
        self.effects.append(SandboxEffect(kind: kind, id: shipment.id, paymentID: shipment.paymentID))
    }
}
