import Postgres
import Testing

@Suite("Values survive the way to Postgres and back")
struct CodecTests {
    private func roundTrip(_ sql: String, _ fill: @escaping (inout Parameters) -> Void) async throws -> Row {
        let connection = try await PostgresConnection.connect(try await TestServer.shared.configuration())
        let result = try await connection.query(Statement("round_trip", sql).call(fill))
        return try #require(result.first)
    }

    @Test("Scalars of every type keep their value")
    func scalars() async throws {
        let uuid = try #require(PostgresUUID("0190163d-8694-739b-aea5-966c26f8ad91"))
        let row = try await roundTrip(
            "select $1::int2, $2::int4, $3::int8, $4::bool, $5::float8, $6::text, $7::bytea, $8::uuid, $9::timestamptz, $10::jsonb"
        ) {
            $0.int16(-7)
            $0.int32(.min)
            $0.int64(.max)
            $0.bool(true)
            $0.double(-0.1)
            $0.text("Grüße, 世界")
            $0.bytea([0, 255, 39, 92])
            $0.uuid(uuid)
            $0.timestamp(microsecondsSince1970: 1_700_000_000_123_456)
            $0.jsonb(#"{"a": [1, null]}"#)
        }
        #expect(try row.int16(0) == -7)
        #expect(try row.int32(1) == .min)
        #expect(try row.int64(2) == .max)
        #expect(try row.bool(3))
        #expect(try row.double(4) == -0.1)
        #expect(try row.text(5) == "Grüße, 世界")
        #expect(try row.bytea(6) == [0, 255, 39, 92])
        #expect(try row.uuid(7) == uuid)
        #expect(try row.microsecondsSince1970(8) == 1_700_000_000_123_456)
        #expect(try row.jsonb(9) == Array(#"{"a": [1, null]}"#.utf8))
    }

    @Test("Null is null and empty is empty")
    func nulls() async throws {
        let row = try await roundTrip(
            "select $1::int8, $2::text, $3::bytea, $4::uuid, $5::text, $6::bytea, $7::jsonb, $8::bool, $6 is null, $3 is null"
        ) {
            $0.int64(nil)
            $0.text(nil)
            $0.bytea(nil)
            $0.uuid(nil)
            $0.text("")
            $0.bytea([])
            $0.jsonb(nil as [UInt8]?)
            $0.bool(nil)
        }
        #expect(try row.int64OrNil(0) == nil)
        #expect(try row.textOrNil(1) == nil)
        #expect(try row.byteaOrNil(2) == nil)
        #expect(try row.uuidOrNil(3) == nil)
        #expect(try row.textOrNil(4) == "")
        #expect(try row.byteaOrNil(5) == [])
        #expect(try row.jsonbOrNil(6) == nil)
        #expect(try row.boolOrNil(7) == nil)
        #expect(try row.bool(8) == false)
        #expect(try row.bool(9))
    }

    @Test("Arrays of every type keep their elements, none and many")
    func arrays() async throws {
        let uuids = (0..<3).map { PostgresUUID(high: $0, low: ~$0) }
        let many = (0..<10_000).map { Int64($0) * 1_000_003 }
        let row = try await roundTrip(
            "select $1::int8[], $2::int4[], $3::int2[], $4::bool[], $5::text[], $6::bytea[], $7::uuid[], $8::int8[], $9::text[]"
        ) {
            $0.int64s(many)
            $0.int32s([1, -1])
            $0.int16s([.min, .max])
            $0.bools([true, false])
            $0.texts(["", "a'\"\\", "{1,2}"])
            $0.byteas([[], [0], [1, 2]])
            $0.uuids(uuids)
            $0.int64s([])
            $0.texts([])
        }
        #expect(try row.int64s(0) == many)
        #expect(try row.int32s(1) == [1, -1])
        #expect(try row.int16s(2) == [.min, .max])
        #expect(try row.bools(3) == [true, false])
        #expect(try row.texts(4) == ["", "a'\"\\", "{1,2}"])
        #expect(try row.byteas(5) == [[], [0], [1, 2]])
        #expect(try row.uuids(6) == uuids)
        #expect(try row.int64s(7).isEmpty)
        #expect(try row.texts(8).isEmpty)
    }

    @Test("Nulls inside an array arrive as nulls")
    func arrayNulls() async throws {
        let row = try await roundTrip("select array_positions($1::int8[], null), cardinality($1::int8[])") {
            $0.array(of: .int8, count: 4) {
                $0.int64(5)
                $0.int64(nil)
                $0.int64(7)
                $0.int64(nil)
            }
        }
        #expect(try row.int32s(0) == [2, 4])
        #expect(try row.int32(1) == 4)
    }

    @Test("A value of sixteen megabytes arrives whole")
    func bigValue() async throws {
        let value = (0..<(16 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let row = try await roundTrip("select $1::bytea, length($1::bytea)") { $0.bytea(value) }
        #expect(try row.int32(1) == Int32(value.count))
        #expect(try row.bytea(0) == value)
    }

    @Test("A wrong type, a null and a missing column are named errors, not crashes")
    func mismatches() async throws {
        let row = try await roundTrip("select $1::int8, null::text") { $0.int64(1) }
        #expect(throws: PostgresError.self) { try row.text(0) }
        #expect(throws: PostgresError.self) { try row.int32(0) }
        #expect(throws: PostgresError.self) { try row.text(1) }
        #expect(throws: PostgresError.self) { try row.int64(2) }
    }

    @Test("A UUID's text form goes both ways and bad text is refused")
    func uuidText() {
        let text = "0190163d-8694-739b-aea5-966c26f8ad91"
        #expect(PostgresUUID(text)?.description == text)
        #expect(PostgresUUID(text.uppercased())?.description == text)
        for bad in [
            "", "0190163d", text + "0", String(text.dropLast()), text.replacing("-", with: "_"), "g" + text.dropFirst(),
        ] {
            #expect(PostgresUUID(bad) == nil, "\(bad)")
        }
    }
}
