/// Reads an object member by member, collecting every fault with its pointer instead of stopping at the first.
struct FieldReader {
    private let members: [JSONValue.Member]
    private let path: [String]
    private var known: Set<String> = []
    private(set) var faults: [Problem.Field] = []

    init(_ value: JSONValue, path: [String] = []) {
        self.path = path
        members = value.members ?? []
        if value.members == nil {
            faults.append(.init(pointer: JSONPointer.text(path), detail: "expected an object, got \(value.kindName)"))
        }
    }

    mutating func fault(_ name: String, _ detail: String) {
        faults.append(.init(pointer: JSONPointer.text(path + [name]), detail: detail))
    }

    mutating func add(_ others: [Problem.Field]) { faults += others }

    mutating func value(_ name: String, required: Bool = false) -> JSONValue? {
        known.insert(name)
        for member in members where member.name == name { return member.value }
        if required { fault(name, "is required") }
        return nil
    }

    mutating func text(_ name: String, required: Bool = false, lengths: ClosedRange<Int>, _ expected: String = "")
        -> String?
    {
        guard let value = value(name, required: required) else { return nil }
        guard let text = value.text else {
            fault(name, "expected a string, got \(value.kindName)")
            return nil
        }
        guard lengths.contains(text.count) else {
            fault(name, "expected \(lengths.lowerBound) to \(lengths.upperBound) characters, got \(text.count)")
            return nil
        }
        return text
    }

    mutating func integer(_ name: String, required: Bool = false, in range: ClosedRange<Int64>) -> Int64? {
        guard let value = value(name, required: required) else { return nil }
        guard let number = value.int else {
            let got =
                if case .number = value { "a number with a fraction, an exponent or too many digits" } else {
                    value.kindName
                }
            fault(name, "expected an integer in minor units or a count, got \(got)")
            return nil
        }
        guard range.contains(number) else {
            fault(name, "expected \(range.lowerBound) to \(range.upperBound), got \(number)")
            return nil
        }
        return number
    }

    mutating func flag(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        if value.bool == nil { fault(name, "expected true or false, got \(value.kindName)") }
        return value.bool
    }

    /// Members that nobody asked for are faults too. Call last.
    mutating func refuseOthers() {
        for member in members where !known.contains(member.name) { fault(member.name, "is not a known field") }
    }
}
