extension JSONValue {
    /// The JSON pointer of the first text, number or name that `matches`. A name is not repeated: the pointer is its object's.
    func firstPointer(path: [String] = [], where matches: (String) -> Bool) -> String? {
        switch self {
        case .null, .bool: return nil
        case .number(let text), .string(let text): return matches(text) ? JSONPointer.text(path) : nil
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                if let found = element.firstPointer(path: path + ["\(index)"], where: matches) { return found }
            }
        case .object(let members):
            for member in members {
                if matches(member.name) { return JSONPointer.text(path) }
                if let found = member.value.firstPointer(path: path + [member.name], where: matches) { return found }
            }
        }
        return nil
    }
}
