import Postgres

/// How an entry is parked.
enum DeadLetterEntryStatements {
    static let insert = Statement(
        "dlq_park",
        """
        insert into wf_dlq.dlq_entry
            (source, tenant, key, class, code, message, attempts, payload_ref, workflow_id, redrive_count, is_outcome_known,
             namespace, first_at, last_at)
        values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text::jsonb, $8::text, $9::text, $10::int4,
            $11::bool, $12::text,
            coalesce((select to_timestamp(min((a ->> 'at')::float8)) from jsonb_array_elements($7::text::jsonb) a), now()), now())
        on conflict (source, key) do nothing returning id::text
        """)

    static let announce = Statement(
        "dlq_announce",
        """
        select outbox.publish($1::text, 'dlq', 'dlq.parked', $2::text, $3::text::jsonb, $4::text, $5::text, $6::text)::text
        """)
}
