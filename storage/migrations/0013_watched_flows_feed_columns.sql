ALTER TABLE watched_flows_feed MODIFY QUERY SELECT * FROM flows WHERE watched
