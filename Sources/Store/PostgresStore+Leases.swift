import History
import Postgres
public import Runtime

extension PostgresStore {
    public func acquireLanes(node: String, address: String, limit: Int, seconds: Int) async throws(StoreError)
        -> [LaneLease]
    {
        let results = try await run([
            LeaseStatements.seeNode.call {
                $0.text(node)
                $0.text(address)
            },
            LeaseStatements.acquire.call {
                $0.text(node)
                $0.int32(Int32(limit))
                $0.int32(Int32(seconds))
            },
            // Asked again now that the rows are ours: a commit of the old owner may have ended while they were being taken.
            LeaseStatements.renew.call {
                $0.text(node)
                $0.int32(Int32(seconds))
            },
        ])
        let acquired = Set(try leases(results[1]).map(\.lane))
        return try leases(results[2]).filter { acquired.contains($0.lane) }
    }

    public func renewLanes(node: String, seconds: Int) async throws(StoreError) -> [LaneLease] {
        let results = try await run([
            LeaseStatements.renew.call {
                $0.text(node)
                $0.int32(Int32(seconds))
            }
        ])
        return try leases(results[0])
    }

    public func releaseLanes(node: String) async throws(StoreError) {
        _ = try await run([LeaseStatements.release.call { $0.text(node) }])
    }

    public func laneOwners() async throws(StoreError) -> [Int16: String] { try await byLane(LeaseStatements.owners) }

    public func laneAddresses() async throws(StoreError) -> [Int16: String] {
        try await byLane(LeaseStatements.addresses)
    }

    private func byLane(_ statement: Statement) async throws(StoreError) -> [Int16: String] {
        let result = try await read(statement.call())
        return try decode { () throws(PostgresError) in
            var texts: [Int16: String] = [:]
            for index in 0..<result.count { texts[try result[index].int16(0)] = try result[index].text(1) }
            return texts
        }
    }

    private func leases(_ result: ResultSet) throws(StoreError) -> [LaneLease] {
        let leases = try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in
                LaneLease(
                    lane: try row.int16(0), epoch: try row.int64(1),
                    expiresAt: Timestamp(nanoseconds: try row.microsecondsSince1970(2) * 1000),
                    lastOutboxSequence: try row.int64(3))
            }
        }
        return leases.sorted { $0.lane < $1.lane }
    }
}
