import Postgres

/// Stock and shipping.
extension PaymentServices {
    func reserveStock(_ input: ReserveStockInput, _ scope: EffectScope) async throws -> Done {
        let op = OperationID(workflow: scope.workflowID, step: "ReserveStock")
        var wanted: [String: Int64] = [:]
        for item in input.items { wanted[item.sku, default: 0] += item.qty }
        let sorted = wanted.sorted { $0.key < $1.key }  // one lock order for everybody
        return try await self.once("ReserveStock", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            let id = try transaction.paymentUUID
            for (sku, quantity) in sorted {
                try await transaction.connection.query(PaymentStatements.lockItem) { $0.text(sku) }
                try await transaction.connection.query(PaymentStatements.expireHolds) { $0.text(sku) }
                let taken = try await transaction.connection.query(PaymentStatements.takeStock) {
                    $0.text(sku)
                    $0.int64(quantity)
                }
                guard taken.affectedRows == 1 else {
                    throw EffectFailure(.permanent(code: "OutOfStock"), "too little of \(sku)")
                }
                try await transaction.connection.query(PaymentStatements.insertStockHold) {
                    $0.uuid(id)
                    $0.text(sku)
                    $0.int64(quantity)
                    $0.double(input.holdSeconds)
                }
            }
            return Done()
        }
    }

    func releaseStock(_ input: StepInput, _ scope: EffectScope) async throws -> Done {
        let op = OperationID(workflow: scope.workflowID, step: "ReleaseStock", generation: input.generation)
        return try await self.once("ReleaseStock", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            let id = try transaction.paymentUUID
            let released = try await transaction.connection.query(PaymentStatements.releaseHolds) { $0.uuid(id) }
            let returns = try released.map { row throws(PostgresError) in
                (sku: try row.text(0), quantity: try row.int64(1))
            }
            for item in returns.sorted(by: { $0.sku < $1.sku }) {
                try await transaction.connection.query(PaymentStatements.returnStock) {
                    $0.text(item.sku)
                    $0.int64(item.quantity)
                }
            }
            return Done()
        }
    }

    func scheduleShipment(_ input: ShipInput, _ scope: EffectScope) async throws -> Shipped {
        let op = OperationID(workflow: scope.workflowID, step: "ScheduleShipment")
        return try await self.outside(
            "ScheduleShipment", op: op, paymentID: input.paymentID, tries: nil, scope: scope,
            call: { payment throws(EffectFailure) in
                try await self.carrier.schedule(
                    payment: payment.id, order: payment.orderID, address: input.address, key: op.value,
                    tenant: payment.merchant,
                    scope: scope)
            },
            settle: { transaction, shipment in
                let id = try transaction.paymentUUID
                try await transaction.connection.query(PaymentStatements.insertShipment) {
                    $0.uuid(id)
                    $0.text(shipment.id)
                }
                return Shipped(carrierRef: shipment.id)
            })
    }

    /// Cancels what the carrier has booked, whether we heard of it or not.
    func cancelShipment(_ input: StepInput, _ scope: EffectScope) async throws -> Shipped {
        let id = try PaymentTransaction.uuid(input.paymentID)
        let scheduled = OperationID(workflow: scope.workflowID, step: "ScheduleShipment")
        let known = try await self.query(PaymentStatements.readOp) { $0.text(scheduled.value) }
        guard known.count == 1 else { return Shipped() }
        if let text = try known[0].textOrNil(1), case .failure = try PaymentJSON.value(Stored<Shipped>.self, text) {
            return Shipped()
        }
        let op = OperationID(workflow: scope.workflowID, step: "CancelShipment", generation: input.generation)
        return try await self.outside(
            "CancelShipment", op: op, paymentID: input.paymentID, tries: nil, scope: scope,
            call: { payment throws(EffectFailure) in
                var last: String?
                for shipment in try await self.carrier.shipments(
                    ofPayment: payment.id, tenant: payment.merchant, scope: scope)
                where shipment.status != "canceled" {
                    _ = try await self.carrier.cancel(
                        shipment.id, payment: payment.id, key: "\(op.value)/\(shipment.id)", tenant: payment.merchant,
                        scope: scope)
                    last = shipment.id
                }
                return last
            },
            settle: { transaction, reference in
                try await transaction.connection.query(PaymentStatements.cancelShipment) { $0.uuid(id) }
                return Shipped(carrierRef: reference)
            })
    }
}
