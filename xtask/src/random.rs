//! Seeded choice for traffic: the same seed asks for the same things in the same order, so that two runs can be compared.

/// SplitMix64: one multiplication chain, good enough to choose requests, and no dependency.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, but not, 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 up to, but not, `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    pub(crate) fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// An index, chosen in proportion to the weights.
    pub(crate) fn weighted(&mut self, weights: &[u32]) -> usize {
        let all: u32 = weights.iter().sum();
        let mut left = self.fraction() * f64::from(all);
        for (index, weight) in weights.iter().enumerate() {
            left -= f64::from(*weight);
            if left < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }
}

/// Ranks with probability in proportion to 1 / rank: how often web content is asked for again.
pub(crate) struct Zipf {
    cumulative: Vec<f64>,
}

impl Zipf {
    pub(crate) fn new(ranks: usize) -> Zipf {
        let mut sum = 0.0;
        let mut cumulative = Vec::with_capacity(ranks);
        for rank in 1..=ranks {
            sum += 1.0 / rank as f64;
            cumulative.push(sum);
        }
        Zipf { cumulative }
    }

    /// A rank from 0.
    pub(crate) fn draw(&self, random: &mut Random) -> usize {
        let sum = self.cumulative.last().copied().unwrap_or(0.0);
        let at = random.fraction() * sum;
        self.cumulative.partition_point(|edge| *edge <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let mut one = Random::new(7);
        let mut two = Random::new(7);
        let mut other = Random::new(8);
        assert_eq!(one.next(), two.next());
        assert_ne!(two.next(), other.next());
    }

    #[test]
    fn weights_and_ranks_are_kept_to() {
        let mut random = Random::new(1);
        let zipf = Zipf::new(100);
        let mut first = 0;
        for _ in 0..1000 {
            assert_eq!(random.weighted(&[0, 3, 0]), 1);
            let rank = zipf.draw(&mut random);
            assert!(rank < 100);
            first += usize::from(rank == 0);
        }
        // 1 / H(100) = 0.193.
        assert!((150..240).contains(&first), "{first}");
    }
}
