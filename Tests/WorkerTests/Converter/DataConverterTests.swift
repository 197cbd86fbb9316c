import Foundation
import TemporalCodec
import Testing

@testable import Worker

private struct Order: Codable, Hashable, Sendable {
    var id: String
    var cents: Int
    var tags: [String]
    var placed: Date
    var note: String?
}

@Suite("Data converter")
struct DataConverterTests {
    private let converter = DataConverter.default
    private let order = Order(
        id: "o-1", cents: 4200, tags: ["a", "ü"], placed: Date(timeIntervalSince1970: 1_700_000_000.125), note: nil)

    @Test("A value comes back as it went")
    func roundTrip() throws {
        let payload = try converter.payload(for: order)
        #expect(payload.encoding == "json/plain")
        #expect(try converter.value(Order.self, from: payload) == order)
    }

    @Test("JSON has sorted keys and readable dates")
    func canonicalJSON() throws {
        let text = String(decoding: try converter.payload(for: order).data, as: UTF8.self)
        #expect(text == #"{"cents":4200,"id":"o-1","placed":"2023-11-14T22:13:20.125Z","tags":["a","ü"]}"#)
    }

    @Test("A date without milliseconds is read too")
    func plainDate() throws {
        let payload = Payload(encoding: "json/plain", data: Array(#""2023-11-14T22:13:20Z""#.utf8))
        #expect(try converter.value(Date.self, from: payload) == Date(timeIntervalSince1970: 1_700_000_000))
    }

    @Test("Nothing and nil travel as null")
    func null() throws {
        #expect(try converter.payload(for: NoValue()).encoding == "binary/null")
        #expect(try converter.payload(for: String?.none).encoding == "binary/null")
        #expect(try converter.value(Int?.self, from: try converter.payload(for: Int?.none)) == nil)
        #expect(try converter.value(Int?.self, from: try converter.payload(for: Int?.some(3))) == 3)
        #expect(throws: ConversionFailure.self) {
            try converter.value(Int.self, from: try converter.payload(for: NoValue()))
        }
    }

    @Test("Bytes travel as they are")
    func bytes() throws {
        let payload = try converter.payload(for: [UInt8]([0, 255, 7]))
        #expect(payload.encoding == "binary/plain")
        #expect(payload.data == [0, 255, 7])
        #expect(try converter.value(Data.self, from: payload) == Data([0, 255, 7]))
        #expect(try converter.value([UInt8].self, from: converter.payload(for: Data([1]))) == [1])
        #expect(try converter.value([UInt8]?.self, from: payload) == [0, 255, 7])
    }

    @Test("Top-level numbers, strings and lists are JSON")
    func fragments() throws {
        #expect(try converter.payload(for: 7).data == Array("7".utf8))
        #expect(try converter.value(String.self, from: converter.payload(for: "a/b")) == "a/b")
        #expect(try converter.value([Int].self, from: converter.payload(for: [1, 2])) == [1, 2])
    }

    @Test("No argument gives no payloads, and no payloads read as nothing")
    func noArguments() throws {
        #expect(try converter.arguments([NoValue()]).isEmpty)
        #expect(try converter.value(NoValue.self, fromWire: [UInt8]()) == NoValue())
        #expect(try converter.value(Int?.self, fromWire: [UInt8]()) == nil)
        #expect(throws: ConversionFailure.self) { try converter.value(Int.self, fromWire: [UInt8]()) }
    }

    @Test("Several arguments keep their order")
    func severalArguments() throws {
        let opened = try converter.openedPayloads(wire: try converter.arguments(["a", 2, true]))
        #expect(try converter.value(String.self, at: 0, of: opened) == "a")
        #expect(try converter.value(Int.self, at: 1, of: opened) == 2)
        #expect(try converter.value(Bool.self, at: 2, of: opened) == true)
        #expect(try converter.value(Int?.self, at: 3, of: opened) == nil)
    }

    @Test("An unknown encoding is refused by name, and content stays out of errors")
    func unknownEncoding() {
        #expect(throws: ConversionFailure("no converter reads encoding text/secret")) {
            try converter.value(String.self, from: Payload(encoding: "text/secret", data: [1]))
        }
        let payload = Payload(encoding: "json/plain", data: Array(#"{"id":"4111-1111"}"#.utf8))
        do {
            _ = try converter.value(Order.self, from: payload)
            Issue.record("expected a failure")
        } catch {
            #expect("\(error)".contains("cents"))
            #expect(!"\(error)".contains("4111"))
        }
    }

    @Test("An own converter comes before JSON")
    func ownConverter() throws {
        struct Shout: PayloadConverter {
            let encoding = "text/shout"
            func payload(for value: any Encodable) -> Payload? {
                (value as? String).map { Payload(encoding: encoding, data: Array($0.uppercased().utf8)) }
            }
            func value<Value: Decodable>(_ type: Value.Type, from payload: Payload) throws -> Value {
                guard let text = String(decoding: payload.data, as: UTF8.self) as? Value else {
                    throw ConversionFailure("no")
                }
                return text
            }
        }
        let converter = DataConverter(converters: [Shout(), JSONPayloadConverter()])
        #expect(try converter.value(String.self, from: try converter.payload(for: "hey")) == "HEY")
        #expect(try converter.payload(for: 1).encoding == "json/plain")
    }

    @Test("Equal payloads are equal bytes, and the wire form reads back")
    func wireForm() throws {
        let payload = Payload(metadata: ["z": [1], "encoding": Array("x".utf8), "a": []], data: [9, 8])
        #expect(try Payload(wire: payload.wire) == payload)
        #expect(try Payload.list(wire: Payload.wire([payload, payload])) == [payload, payload])
        #expect(try Payload.fields(wire: Payload.wire(fields: ["k": payload])) == ["k": payload])
        #expect(throws: MalformedMessage.self) { try Payload(wire: [0x0a, 0x05, 1]) }
    }
}
