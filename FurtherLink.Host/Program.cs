Console.WriteLine("furtherlink");
