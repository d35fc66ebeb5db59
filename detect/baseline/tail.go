package baseline

import "math"

// LogNormalTail is ln P(X >= z) of a standard normal X. Beyond z = 30, where the
// probability is no longer a float64, it is the asymptotic series (Abramowitz, Stegun
// 26.2.12).
func LogNormalTail(z float64) float64 {
	if z < 30 {
		return math.Log(math.Erfc(z/math.Sqrt2) / 2)
	}
	return -z*z/2 - math.Log(z*math.Sqrt(2*math.Pi)) + math.Log1p(-1/(z*z)+3/(z*z*z*z))
}

// NormalDeviate is the z whose LogNormalTail is logp; 0 for logp >= ln ½.
func NormalDeviate(logp float64) float64 {
	if logp >= -math.Ln2 {
		return 0
	}
	if logp < -1e12 { // so far out there is only one answer
		return math.Inf(1)
	}
	// Newton's method on the logarithm, which is concave: from above it never
	// overshoots.
	z := math.Sqrt(-2 * logp)
	for range 20 {
		f := LogNormalTail(z)
		slope := -math.Exp(-z*z/2 - f - math.Log(math.Sqrt(2*math.Pi)))
		step := (f - logp) / slope
		z -= step
		if math.Abs(step) < 1e-12*z {
			break
		}
	}
	return z
}

// LogStudentTail is ln P(X >= t) of Student's t with nu > 0 degrees of freedom, for
// t >= 0: half of the incomplete beta function of nu/(nu+t²) at (nu/2, ½) (Abramowitz,
// Stegun 26.7.1).
func LogStudentTail(t, nu float64) float64 {
	return LogIncompleteBeta(nu/2, 0.5, nu/(nu+t*t)) - math.Ln2
}

// LogBinomialTail is ln P(X >= k) of n trials that succeed with probability p.
func LogBinomialTail(k, n int, p float64) float64 {
	switch {
	case k <= 0 || p >= 1 && k <= n:
		return 0
	case k > n || p <= 0:
		return math.Inf(-1)
	}
	return LogIncompleteBeta(float64(k), float64(n-k+1), p) // Abramowitz, Stegun 26.5.24
}

// LogPoissonTail is ln P(X >= k) of a Poisson X of mean lambda.
func LogPoissonTail(k int, lambda float64) float64 {
	switch {
	case k <= 0:
		return 0
	case lambda <= 0:
		return math.Inf(-1)
	}
	if float64(k) < lambda { // the shorter side
		below, term := 0.0, math.Exp(-lambda+float64(k-1)*math.Log(lambda)-lgamma(float64(k)))
		for i := k - 1; i >= 0 && term > below*1e-17; i-- {
			below += term
			term *= float64(i) / lambda
		}
		return math.Log1p(-min(below, 1))
	}
	sum, term := 0.0, 1.0 // in units of P(X = k)
	for i := k; term > sum*1e-17; i++ {
		sum += term
		term *= lambda / float64(i+1)
	}
	return -lambda + float64(k)*math.Log(lambda) - lgamma(float64(k)+1) + math.Log(sum)
}

// LogIncompleteBeta is the logarithm of the regularized incomplete beta function
// Iₓ(a, b), by its continued fraction (Lentz's method; Press et al., "Numerical
// Recipes", 6.4).
func LogIncompleteBeta(a, b, x float64) float64 {
	switch {
	case x <= 0:
		return math.Inf(-1)
	case x >= 1:
		return 0
	}
	front := lgamma(a+b) - lgamma(a) - lgamma(b) + a*math.Log(x) + b*math.Log1p(-x)
	if x < (a+1)/(a+b+2) {
		return front + math.Log(betaFraction(a, b, x)/a)
	}
	return math.Log1p(-min(1, math.Exp(front)*betaFraction(b, a, 1-x)/b))
}

func betaFraction(a, b, x float64) float64 {
	const tiny = 1e-300
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	sum := d
	for i := 1; i < 10_000; i++ {
		m := float64(i)
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/away(1+even*d), away(1+even/c)
		sum *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/away(1+odd*d), away(1+odd/c)
		sum *= d * c
		if math.Abs(d*c-1) < 1e-15 {
			break
		}
	}
	return sum
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}
