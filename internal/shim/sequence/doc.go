// Package sequence decides how batches of clients that have no idempotence get producer IDs, epochs and sequences, and what
// an answer, or its absence, says about whether a batch is in the log. It does nothing itself: it has no connection, no lock
// and no clock, so that it can be tested against a model of a broker.
//
// A Lane is what one producer ID writes to one partition. Its invariants:
//
//  1. A (producer ID, epoch, partition, sequence) is bound to one batch for ever. A broker that sees it again answers with the
//     offset of the first copy and drops the bytes, so binding it to other bytes would be a silent loss. A batch may get a
//     second binding; a binding never gets a second batch.
//  2. A batch gets another binding only once it is proven that it is not in the log under the one it has, or when nothing can
//     prove it any more; the latter is counted as doubt, because it may then be written twice. In doubt a duplicate is better
//     than a loss.
//  3. Sequences are given out in the order in which batches go on the wire, without gaps. What a broker refused for good leaves
//     a hole; the lane then goes on in the next epoch at sequence 0 (KIP-360), once nothing is unsettled before it.
//  4. Until a broker acknowledged one batch of a lane in its epoch, one batch at most is on the way: a broker that does not
//     know a producer takes any first sequence, so a second one could overtake a first that was lost.
//  5. Contiguity settles: a broker appends only what follows its last sequence. So an acknowledged batch proves that all before
//     it in its epoch were written, and a batch that is proven missing proves that none after it in its epoch was.
//  6. At most five batches of a lane are unsettled, because that is how many a broker remembers: an older copy would be called
//     out of order too. So out of order, for a batch with nothing unsettled before it, means that it is not in the log.
//
// A batch is recognised as a client's resend only while the outcome of the first copy has not reached the client as a
// success: it was told an error, or its connection ended first. The same bytes again on a connection that lives are new
// records.
package sequence
