import Gateway
import Testing

@Suite("JSON")
struct JSONTests {
    @Test(
        "Texts that are no JSON of ours are refused",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "01", "1.", "1e", "-", "nul", "\"\\x\"", "\"\\ud800\"",
            "\"\n\"",
            "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "1 2", "'a'", "[" + String(repeating: "[", count: 64) + "]",
        ])
    func refused(_ text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test("Bytes that are not UTF-8 are refused")
    func notUTF8() {
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0xC3, 0x28, 0x22]) }
    }

    @Test("A value that was written reads back the same")
    func roundTrip() throws {
        let text = #"{"a":[1,-2.50,1e9,true,false,null],"b":{"ü":"\"\\\n\u0001😀"},"c":""}"#
        let value = try JSONParser.parse(Array(text.utf8))
        #expect(try JSONParser.parse(JSONWriter.write(value)) == value)
        #expect(try JSONParser.parse(JSONWriter.write(value, pretty: true)) == value)
        #expect(value["b"]?["ü"]?.text == "\"\\\n\u{1}😀")
        #expect(value["a"]?.elements?[1] == .number("-2.50"))
    }

    @Test("The depth is bounded at exactly 64")
    func depth() throws {
        let deepest = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(throws: Never.self) { try JSONParser.parse(Array(deepest.utf8)) }
        #expect(throws: JSONError.self) { try JSONParser.parse(Array("[\(deepest)]".utf8)) }
    }

    @Test("Equal values have equal canonical bytes")
    func canonical() throws {
        let one = try JSONParser.parse(Array(#"{"b":1,"a":{"d":2,"c":3}}"#.utf8))
        let other = try JSONParser.parse(Array(#"{ "a": {"c":3, "d":2}, "b":1 }"#.utf8))
        #expect(JSONWriter.write(one, canonical: true) == JSONWriter.write(other, canonical: true))
    }

    @Test("A duplicate name is reported with its place")
    func duplicatePointer() {
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(Array(#"{"a":[{"x/y":1,"x/y":2}]}"#.utf8)) }
        #expect(error?.pointer == "/a/0/x~1y")
    }
}
